#include <fmt/format.h>
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "base/text.h"
#include "provider/provider.h"
#include "sandbox/spawner.h"
#include "server/data_directory.h"
#include "server/embedded.h"
#include "server/options.h"
#include "server/sandboxes.h"
#include "server/server.h"

namespace renga::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Asks every time `pause` has passed, for at most `limit`.
template <class Done>
bool wait_until(Done done, milliseconds limit, milliseconds pause = milliseconds(20)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(pause);
  }
  return true;
}

int stop_dynos(const std::filesystem::path& root) {
  auto directory = DataDirectory::open(root);
  if (!directory) {
    fmt::print(stderr, "renga: {}\n", directory.error().message);
    return 1;
  }
  unpack_embedded(directory->root());
  sandbox::Spawner spawner(spawner_options(*directory));

  const auto sandboxes = spawner.running();
  for (const auto& sandbox : sandboxes) spawner.signal(sandbox.id, SIGTERM);
  wait_until([&] { return spawner.running().empty(); }, seconds(30));
  for (const auto& sandbox : sandboxes) {
    spawner.kill(sandbox.id);
    spawner.remove(sandbox.id);
  }
  // And what ended by itself, just before control did.
  for (const auto& id : spawner.ids()) spawner.remove(id);
  spawner.leave_host();
  std::size_t servers = 0;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(*directory / "providers", none))
    servers += provider::stop_servers(entry.path());
  fmt::print("renga: stopped {} dynos of {}\n", sandboxes.size(), root.string());
  if (servers > 0) fmt::print("renga: stopped {} servers of its add-ons\n", servers);
  return 0;
}

}  // namespace

int stop_main(int argc, char** argv) {
  auto root = default_data_directory();
  bool dynos = false;
  for (int i = 2; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--dynos")
      dynos = true;
    else if (option == "--data" && i + 1 < argc)
      root = std::filesystem::absolute(argv[++i]);
    else if (option.starts_with("--data="))
      root = std::filesystem::absolute(option.substr(7));
    else {
      fmt::print(stderr, "renga: server:stop takes --data DIR and --dynos, not {}.\n", option);
      return 2;
    }
  }
  root = root.lexically_normal();
  if (!std::filesystem::is_directory(root)) {
    fmt::print(stderr, "renga: {} is not there. Say which data directory with --data DIR.\n",
               root.string());
    return 1;
  }

  if (const int pid = DataDirectory::holder(root); pid > 0) {
    ::kill(pid, SIGTERM);
    if (!wait_until([&] { return DataDirectory::holder(root) == 0; }, seconds(60))) {
      fmt::print(stderr, "renga: the server (process {}) did not stop within 60 s.\n", pid);
      return 1;
    }
    fmt::print("renga: stopped the server of {}\n", root.string());
  } else {
    fmt::print("renga: no server runs on {}\n", root.string());
  }
  return dynos ? stop_dynos(root) : 0;
}

}  // namespace renga::server
