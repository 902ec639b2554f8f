// The program around a provider: its first line in, its manifest out, and the partner API.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdio>

#include "base/fault.h"
#include "base/report.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "http/server.h"
#include "os/file.h"
#include "provider/migrations.h"
#include "provider/partner_api.h"
#include "provider/platform.h"
#include "provider/provider.h"
#include "store/upgrade.h"

namespace renga::provider {
namespace fs = std::filesystem;

namespace {

constexpr int cannot_serve_here = 69;
constexpr std::size_t longest_line = 64 << 10;

// One line of standard input; nothing when it ended before.
std::optional<std::string> first_line() {
  std::string line;
  char c = 0;
  while (line.size() < longest_line) {
    const auto count = ::read(0, &c, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    if (c == '\n') return line;
    line += c;
  }
  return std::nullopt;
}

void wait_for_the_end() {
  char buffer[256];
  while (true) {
    const auto count = ::read(0, buffer, sizeof buffer);
    if (count == 0 || (count < 0 && errno != EINTR)) return;
  }
}

std::string text_of(const json::object& object, std::string_view key) {
  const auto* found = object.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

// The manifest with where it is served now, on one line.
std::string announced(std::string_view manifest, const std::string& address) {
  auto value = json::parse(manifest);
  auto& api = value.as_object()["api"].as_object();
  api["production"] = json::object{{"base_url", "http://" + address + "/heroku/resources"},
                                   {"sso_url", "http://" + address + "/sso/login"}};
  return json::serialize(value);
}

sandbox::SpawnerOptions spawner_options(const fs::path& data) {
  const auto absolute = fs::absolute(data).lexically_normal();
  return {.program = "/proc/self/exe",
          .init_program = absolute / "bin/renga-init",
          .run_directory = absolute / "run/sandboxes",
          .server_name = "addon" + crypto::sha256(absolute.string()).substr(0, 8),
          .purpose = sandbox::Purpose::services};
}

os::Fd lock_directory(const fs::path& data, int seconds) {
  auto lock = os::open_file(data / "lock", O_RDWR | O_CREAT, 0600);
  for (int tries = 0; flock(lock.get(), LOCK_EX | LOCK_NB) != 0; ++tries) {
    if (tries == 10 * seconds) fault("lock " + data.string() + ", which another provider uses");
    usleep(100'000);
  }
  return lock;
}

int serve(const fs::path& data, std::string_view init_program, const Program& program,
          const json::object& told) {
  fs::create_directories(data / "bin");
  fs::permissions(data, fs::perms(0700));
  // An earlier one may need a moment to end.
  const auto lock = lock_directory(data, 10);
  if (os::read_file(data / "bin/renga-init") != init_program)
    os::replace_file(data / "bin/renga-init", init_program, 0755);

  SystemClock clock;
  const crypto::SecretBox box(data / "secret.key");
  store::Database database(data / "provider.db");
  store::upgrade(database, clock, {migrations(), program.migrations}, data / "upgrades");
  sandbox::Spawner spawner(spawner_options(data));
  Platform platform(database, clock, box, text_of(told, "api_url"), text_of(told, "client_secret"));
  const auto provider = program.make({data, clock, database, box, spawner, platform});

  PartnerApi api(*provider, platform,
                 {.id = std::string(json::parse(program.manifest).at("id").as_string()),
                  .password = text_of(told, "password"),
                  .sso_salt = text_of(told, "sso_salt")},
                 clock);
  http::Server server({.listen = "127.0.0.1:0",
                       .tls = nullptr,
                       .router = [&](const http::Request& head) { return api.route(head); },
                       .on_line = {},
                       .limits = {}});
  provider->start();
  platform.start();
  server.start();
  fmt::print("{}\n", announced(program.manifest, server.address()));
  std::fflush(stdout);

  wait_for_the_end();
  server.drain(std::chrono::seconds(2));
  return 0;
}

}  // namespace

std::size_t stop_servers(const fs::path& data) {
  if (!fs::exists(data / "run/sandboxes")) return 0;
  const auto lock = lock_directory(data, 40);
  sandbox::Spawner spawner(spawner_options(data));
  const auto running = spawner.running();
  for (const auto& server : running) spawner.signal(server.id, SIGTERM);
  for (const auto& server : running) {
    pollfd ended{-1, POLLIN, 0};
    const auto watched = spawner.watch(server);
    ended.fd = watched.get();
    if (watched) poll(&ended, 1, 20'000);
  }
  for (const auto& id : spawner.ids()) spawner.remove(id);
  spawner.leave_host();
  return running.size();
}

int provider_main(int argc, char** argv, std::string_view init_program, const Program& program) {
  fs::path data;
  for (int i = 3; i + 1 < argc; i += 2)
    if (std::string_view(argv[i]) == "--data") data = fs::absolute(argv[i + 1]).lexically_normal();
  const auto part = "renga provider " + std::string(program.name);
  if (data.empty()) {
    report(part, "say where its directory is, with --data DIR.");
    return 2;
  }
  for (const auto& why : {sandbox::Spawner::unsupported(), program.unsupported()}) {
    if (!why) continue;
    report(part, *why);
    return cannot_serve_here;
  }
  try {
    const auto line = first_line();
    boost::system::error_code wrong;
    const auto told = json::parse(line.value_or(""), wrong);
    if (wrong || !told.is_object() || text_of(told.get_object(), "password").empty()) {
      report(part,
             "it is started by `renga server`, which says on its standard input what it needs.");
      return 2;
    }
    return serve(data, init_program, program, told.get_object());
  } catch (const std::exception& error) {
    report(part, error.what());
    return 1;
  }
}

}  // namespace renga::provider
