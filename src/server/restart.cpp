// `renga server:restart`: has control put the program that is now at its path in its own place, and
// waits until that serves. Dynos are not touched; the router goes on, or hands over to one of the
// new program.
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "server/data_directory.h"
#include "server/options.h"
#include "server/server.h"

namespace renga::server {
namespace {

using std::chrono::milliseconds;

// When the file that tells where the server is was last written; each start writes it anew.
std::pair<std::int64_t, std::int64_t> announced_at(const std::filesystem::path& root) {
  struct stat found {};
  if (::stat((root / "run/server.json").c_str(), &found) != 0) return {};
  return {found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
}

}  // namespace

int restart_main(int argc, char** argv) {
  auto root = default_data_directory();
  for (int i = 2; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--data" && i + 1 < argc)
      root = std::filesystem::absolute(argv[++i]);
    else if (option.starts_with("--data="))
      root = std::filesystem::absolute(option.substr(7));
    else {
      fmt::print(stderr, "renga: server:restart takes --data DIR, not {}.\n", option);
      return 2;
    }
  }
  root = root.lexically_normal();
  const int pid = DataDirectory::holder(root);
  if (pid <= 0) {
    fmt::print(stderr, "renga: no server runs on {}. Start one with `renga server`.\n",
               root.string());
    return 1;
  }
  const auto before = announced_at(root);
  ::kill(pid, SIGUSR2);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (announced_at(root) == before) {
    if (std::chrono::steady_clock::now() > end || ::kill(pid, 0) != 0) {
      fmt::print(stderr,
                 "renga: the server (process {}) did not come back. Its own output says why; "
                 "dynos and router go on. Start it with `renga server`.\n",
                 pid);
      return 1;
    }
    std::this_thread::sleep_for(milliseconds(20));
  }
  fmt::print("renga: restarted the server of {}\n", root.string());
  return 0;
}

}  // namespace renga::server
