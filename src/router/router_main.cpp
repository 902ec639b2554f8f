// `renga router --directory DIR [--http HOST:PORT] [--https HOST:PORT] [--secret-key FILE]
// [--user ID] [--threads N] [--listeners FD,FD,…] [--https-listeners FD,FD,…] [--lock FD]`
// The last three are how control hands over what it has opened.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "base/report.h"
#include "base/text.h"
#include "os/descriptor_limit.h"
#include "router/router_link.h"
#include "router/router_process.h"

namespace renga::router {

namespace {

constexpr std::size_t room_at_once = 64 * 1024;  // descriptors: half a megabyte
constexpr std::size_t most_threads = 32;  // 64 sockets travel in one message, http's and https's

Result<os::Fd> descriptor(std::string_view text) {
  const auto number = text::number(text);
  if (!number || *number < 3 || *number > 1'000'000 ||
      ::fcntl(static_cast<int>(*number), F_GETFD) < 0) {
    return fail(Kind::invalid, "renga router: " + std::string(text) + " is no open descriptor.");
  }
  os::Fd fd(static_cast<int>(*number));
  ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
  return fd;
}

Result<RouterProcessOptions> parse(int argc, char** argv) {
  RouterProcessOptions options;
  options.http = "127.0.0.1:8080";
  options.threads = std::max(1U, std::thread::hardware_concurrency());
  for (int i = 2; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) {
      return fail(Kind::invalid, "renga router: " + std::string(name) + " needs a value.");
    }
    const std::string_view value = argv[i + 1];
    if (name == "--directory") {
      options.directory = value;
    } else if (name == "--http") {
      options.http = value;
    } else if (name == "--threads") {
      const auto threads = text::number(value);
      if (!threads || *threads < 1 || *threads > static_cast<std::int64_t>(most_threads)) {
        return fail(Kind::invalid, "renga router: --threads takes a number from 1 to 32.");
      }
      options.threads = static_cast<std::size_t>(*threads);
    } else if (name == "--https") {
      options.https = value;
    } else if (name == "--secret-key") {
      options.secret_key = value;
    } else if (name == "--user") {
      const auto user = text::number(value);
      if (!user || *user < 1 || *user >= 0xffff'ffff)
        return fail(Kind::invalid, "renga router: --user takes the number of a user.");
      options.user = static_cast<unsigned>(*user);
    } else if (name == "--listeners" || name == "--https-listeners") {
      auto& listeners = name == "--listeners" ? options.sockets.http : options.sockets.https;
      for (const auto part : text::split(value, ',')) {
        listeners.push_back(TRY(descriptor(part)));
      }
    } else if (name == "--lock") {
      options.lock = TRY(descriptor(value));
    } else {
      return fail(
          Kind::invalid,
          "renga router: there is no option " + std::string(name) +
              ". It takes --directory DIR, --http HOST:PORT, --https HOST:PORT, --secret-key "
              "FILE, --user ID and --threads N.");
    }
  }
  if (options.directory.empty()) {
    return fail(Kind::invalid,
                "renga router: say where its socket and table are, with --directory DIR.");
  }
  options.threads = std::min(options.threads, most_threads);
  return options;
}

// A client takes one descriptor, and the dyno that serves it another; some are for ourselves. Root
// may have as many as it wants. Before there are threads, which would wait as the room for them
// grows.
void fit_connections(Limits& limits, std::size_t threads) {
  const auto descriptors = os::allow_descriptors(limits.connections * 2 * threads + 256);
  const auto spare = std::max<std::size_t>(descriptors, 256) - 128;
  limits.connections = std::min(limits.connections, std::max<std::size_t>(spare / 2 / threads, 16));
  os::make_room_for_descriptors(std::min(descriptors, room_at_once));
}

// SIGTERM and SIGINT, on a thread that does nothing else.
void wait_for_signal(const sigset_t& signals, RouterProcess& process) {
  int signal = 0;
  while (::sigwait(&signals, &signal) == 0) {
    if (signal == SIGUSR1) return;  // the process is done
    process.stop();
  }
}

}  // namespace

int router_main(int argc, char** argv) {
  auto options = parse(argc, argv);
  if (!options) {
    std::fprintf(stderr, "%s\n", options.error().message.c_str());
    return 2;
  }
  fit_connections(options->limits, options->threads);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGHUP, SIG_IGN);
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int one : {SIGTERM, SIGINT, SIGUSR1}) ::sigaddset(&signals, one);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  try {
    RouterProcess process(*std::move(options));
    std::thread watch([&] { wait_for_signal(signals, process); });
    process.run();
    ::pthread_kill(watch.native_handle(), SIGUSR1);
    watch.join();
  } catch (const std::exception& wrong) {
    report("router", wrong.what());
    return 1;
  }
  return 0;
}

}  // namespace renga::router
