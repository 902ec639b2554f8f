#include "addons/supervisor.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <optional>
#include <set>
#include <thread>

#include "base/fault.h"
#include "base/locked.h"
#include "base/report.h"
#include "base/text.h"
#include "os/file.h"
#include "os/process.h"
#include "store/text_map.h"

namespace renga::addons {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Steady = std::chrono::steady_clock;

constexpr std::array<seconds, 6> pauses = {seconds(1),  seconds(2),  seconds(5),
                                           seconds(15), seconds(30), seconds(60)};
constexpr seconds forgiven_after{60};
constexpr std::chrono::minutes cannot_serve_pause{10};
constexpr int cannot_serve = 69;  // EX_UNAVAILABLE
constexpr std::size_t longest_line = 1 << 20;

// What a provider may know of control's environment, which can have secrets in it.
std::map<std::string, std::string> provider_environment() {
  std::map<std::string, std::string> kept;
  for (const auto* name :
       {"PATH", "TZ", "LANG", "HOME", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS",
        "TSAN_OPTIONS", "RENGA_ALLOW_PRIVATE", "RENGA_MAVEN_REPOSITORY", "https_proxy",
        "HTTPS_PROXY", "http_proxy", "no_proxy", "NO_PROXY", "SSL_CERT_FILE"})
    if (const char* value = std::getenv(name)) kept[name] = value;
  return kept;
}

}  // namespace

struct Supervisor::State {
  State(Catalog& its_catalog, SupervisorOptions its_options)
      : catalog(its_catalog), options(std::move(its_options)), stop(::eventfd(0, EFD_CLOEXEC)) {
    if (!stop) fault("eventfd");
  }

  void keep_up(const BuiltInProvider& provider);
  // Runs it once, to its end. The exit status; nothing when it was told to end.
  std::optional<int> run(const BuiltInProvider& provider);
  bool hand_over_secrets(const BuiltInProvider& provider, os::Child& child, Secrets& secrets);
  bool take_manifest(const BuiltInProvider& provider, const Secrets& secrets,
                     std::string_view line);
  std::optional<int> end(const BuiltInProvider& provider, os::Child& child, std::string_view why);
  // False at once when this object ends.
  bool pause(milliseconds how_long) const;
  void settle(const BuiltInProvider& provider) {
    settled.lock()->insert(provider.name);
    changed.notify_all();
  }

  Catalog& catalog;
  SupervisorOptions options;
  os::Fd stop;
  Locked<std::set<std::string>> settled;
  std::condition_variable changed;
  std::vector<std::thread> threads;
};

bool Supervisor::State::pause(milliseconds how_long) const {
  pollfd told{stop.get(), POLLIN, 0};
  return ::poll(&told, 1, static_cast<int>(how_long.count())) <= 0;
}

void Supervisor::State::keep_up(const BuiltInProvider& provider) {
  std::size_t failures = 0;
  for (;;) {
    const auto began = Steady::now();
    milliseconds wait;
    try {
      const auto status = run(provider);
      if (!status) return;
      if (Steady::now() - began > forgiven_after) failures = 0;
      wait = *status == cannot_serve ? milliseconds(cannot_serve_pause)
                                     : milliseconds(pauses[std::min(failures, pauses.size() - 1)]);
      report("provider " + provider.name,
             fmt::format("ended with {}; started again in {} s", *status, wait.count() / 1000));
    } catch (const std::exception& trouble) {
      wait = pauses[std::min(failures, pauses.size() - 1)];
      report("provider " + provider.name, trouble.what());
    }
    ++failures;
    settle(provider);
    if (!pause(wait)) return;
  }
}

bool Supervisor::State::hand_over_secrets(const BuiltInProvider& provider, os::Child& child,
                                          Secrets& secrets) {
  const auto known = catalog.service(provider.service);
  secrets = known ? catalog.secrets(known->id) : Catalog::made_up();
  const auto line = store::to_json({{"password", secrets.password},
                                    {"sso_salt", secrets.sso_salt},
                                    {"client_secret", secrets.client_secret},
                                    {"api_url", options.api_url}}) +
                    "\n";
  try {
    // Far less than a pipe holds: this does not wait.
    os::write_all(child.in().get(), line, "the provider's settings");
    return true;
  } catch (const std::system_error&) {
    return false;  // it has ended already
  }
}

bool Supervisor::State::take_manifest(const BuiltInProvider& provider, const Secrets& secrets,
                                      std::string_view line) {
  auto manifest = Manifest::parse(line);
  if (manifest && manifest->id != provider.service)
    manifest = fail(Kind::invalid,
                    fmt::format("The manifest is {}'s, not {}'s.", manifest->id, provider.service));
  if (manifest) {
    manifest->secrets = secrets;
    const auto registered = catalog.put(*manifest);
    if (registered) return true;
    manifest = std::unexpected(registered.error());
  }
  report("provider " + provider.name, manifest.error().message);
  return false;
}

std::optional<int> Supervisor::State::end(const BuiltInProvider& provider, os::Child& child,
                                          std::string_view why) {
  report("provider " + provider.name, why);
  child.in().close();
  if (const auto status = child.wait_for(options.stop_limit)) return status;
  child.signal(SIGKILL);
  return child.wait();
}

std::optional<int> Supervisor::State::run(const BuiltInProvider& provider) {
  const auto directory = options.directory / provider.name;
  std::filesystem::create_directories(directory);
  std::filesystem::permissions(directory, std::filesystem::perms::owner_all);
  os::Child child(
      {.argv = {options.program, "provider", provider.name, "--data", directory.string()},
       .env = provider_environment(),
       .clear_env = true,
       .own_group = true},
      {.err = STDERR_FILENO});
  Secrets secrets;
  if (!hand_over_secrets(provider, child, secrets)) return child.wait();

  const auto until = Steady::now() + options.start_limit;
  bool ready = false;
  std::string line;
  for (;;) {
    std::array<pollfd, 2> waits = {{{child.out().get(), POLLIN, 0}, {stop.get(), POLLIN, 0}}};
    const auto left = std::chrono::ceil<milliseconds>(until - Steady::now()).count();
    const int limit = ready ? -1 : static_cast<int>(std::max<long long>(left, 0));
    const int woken = ::poll(waits.data(), waits.size(), limit);
    if (woken < 0 && errno != EINTR) fault("poll");
    if (woken < 0) continue;
    if (woken == 0) return end(provider, child, "it printed no manifest in time");
    if (waits[1].revents != 0) {
      child.in().close();
      if (!child.wait_for(options.stop_limit)) child.signal(SIGKILL);
      child.wait();
      return std::nullopt;
    }
    std::array<char, 4096> piece;
    const auto got = ::read(child.out().get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    // It has ended, or closed its output, which comes to the same.
    if (got <= 0) return end(provider, child, "it closed its standard output");
    line.append(piece.data(), static_cast<std::size_t>(got));
    for (auto stop_at = line.find('\n'); stop_at != std::string::npos; stop_at = line.find('\n')) {
      const auto whole = line.substr(0, stop_at);
      line.erase(0, stop_at + 1);
      if (ready) {
        report("provider " + provider.name, text::printable(whole));
      } else if (!take_manifest(provider, secrets, whole)) {
        return end(provider, child, "its manifest is refused, so it is ended");
      } else {
        ready = true;
        settle(provider);
      }
    }
    if (line.size() > longest_line) return end(provider, child, "it printed a line without an end");
  }
}

Supervisor::Supervisor(Catalog& catalog, SupervisorOptions options)
    : state_(std::make_unique<State>(catalog, std::move(options))) {}

Supervisor::~Supervisor() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto told = ::write(state_->stop.get(), &one, sizeof one);
  for (auto& thread : state_->threads) thread.join();
}

void Supervisor::start() {
  for (const auto& provider : state_->options.providers)
    state_->threads.emplace_back([this, provider] { state_->keep_up(provider); });
}

void Supervisor::wait_until_settled(milliseconds limit) {
  auto settled = state_->settled.lock();
  settled.wait_for(state_->changed, limit,
                   [&] { return settled->size() == state_->options.providers.size(); });
}

}  // namespace renga::addons
