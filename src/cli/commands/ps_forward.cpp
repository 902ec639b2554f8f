#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <list>
#include <thread>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/attached.h"
#include "cli/commands/commands.h"
#include "net/socket.h"
#include "os/signal_fd.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

constexpr std::size_t most_connections = 64;

struct Pair {
  std::int64_t local = 0, remote = 0;
};

Result<std::vector<Pair>> pairs_in(const std::string& given) {
  std::vector<Pair> pairs;
  for (const auto part : text::split(given, ',')) {
    const auto [local, remote] = text::split_once(part, ':');
    const auto first = text::number(local);
    const auto second = remote.empty() ? first : text::number(remote);
    const auto is_port = [](const auto& port) { return port && *port >= 0 && *port < 65'536; };
    if (!is_port(first) || !is_port(second) || *second == 0)
      return fail(Kind::invalid, "ps:forward takes PORT or LOCAL:PORT, several with commas.");
    pairs.push_back({*first, *second});
  }
  return pairs;
}

// One connection: a forward of its own inside the dyno, joined to it. On a thread of its own.
class Connection {
 public:
  Connection(std::string url, client::AttachOptions options, os::Fd fd)
      : fd_(std::move(fd)), thread_([this, url = std::move(url), options]() mutable {
          options.input = options.output = fd_.get();
          [[maybe_unused]] const auto ended = client::attach(url, options);
          ::shutdown(fd_.get(), SHUT_RDWR);
          over_ = true;
        }) {}
  ~Connection() {
    ::shutdown(fd_.get(), SHUT_RDWR);
    thread_.join();
  }
  bool over() const { return over_; }

 private:
  os::Fd fd_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Forward which port? `renga ps:forward 9000:5432`.");
  const auto pairs = TRY(pairs_in(context.arguments[0]));
  const auto name = TRY(dyno_to_enter(context));
  auto* platform = TRY(context.platform());
  const auto path = TRY(context.path("/dynos/" + text::url_encode(name)));

  // Before any thread is made, so that the poll below hears of Ctrl-C, and nothing else does.
  const os::SignalFd ended({SIGINT, SIGTERM});

  std::vector<os::Fd> listeners;
  std::vector<pollfd> waits{{ended.fd(), POLLIN, 0}};
  for (const auto& pair : pairs) {
    try {
      listeners.push_back(net::listen_tcp(fmt::format("127.0.0.1:{}", pair.local)));
    } catch (const std::exception& trouble) {
      return fail(Kind::unavailable, trouble.what());
    }
    waits.push_back({listeners.back().get(), POLLIN, 0});
    context.terminal.say(fmt::format("Forwarding {} to port {} of {}. Ctrl-C ends it.",
                                     net::local_address(listeners.back().get()).text(), pair.remote,
                                     name));
  }

  std::list<Connection> connections;
  for (;;) {
    if (::poll(waits.data(), waits.size(), 1'000) < 0 && errno != EINTR) return 1;
    if (waits[0].revents != 0) return 0;
    connections.remove_if([](const Connection& connection) { return connection.over(); });
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (waits[i + 1].revents == 0) continue;
      auto accepted = net::accept(listeners[i].get());
      if (!accepted.fd || connections.size() >= most_connections) continue;
      const auto dyno = platform->post(path, json::object{{"forward_port", pairs[i].remote}});
      if (!dyno) {
        context.terminal.say(dyno.error().message);
        continue;
      }
      connections.emplace_back(text_at(*dyno, "attach_url"), attach_options(*platform, false),
                               std::move(accepted.fd));
    }
  }
}

}  // namespace

Command ps_forward() {
  return {
      .name = "ps:forward",
      .usage = "PORT",
      .summary = "forward local ports to a dyno's own",
      .help =
          R"(A program in the dyno that listens at localhost is reached from here, on 127.0.0.1 alone.

Examples:
  $ renga ps:forward 9000
  $ renga ps:forward 8000:3000,9001 --dyno web.2)",
      .flags = {app_flag,
                {"dyno", 'd', "DYNO", "which one (default web.1, or the first that is up)"}},
      .run = run};
}

}  // namespace renga::cli
