#include "dynos/engines/local/log_listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <map>
#include <thread>

#include "base/fault.h"
#include "base/locked.h"
#include "base/report.h"
#include "dynos/engines/local/held_lines.h"
#include "net/socket.h"
#include "os/fd.h"
#include "sandbox/log_ring.h"

namespace renga::dynos {
namespace {

constexpr std::size_t most_connections = 4'096;
constexpr std::chrono::milliseconds look_every{500}, longest_look_every{2'000};
constexpr int reads_to_settle = 64;  // of 64 KiB each: more than a socket's buffer holds

// The path may be longer than sun_path takes, so the socket is bound in its directory by
// descriptor.
os::Fd listen_at(const std::filesystem::path& path) {
  std::filesystem::create_directories(path.parent_path());
  const os::Fd directory(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) fault("open " + path.parent_path().string());
  const auto near = fmt::format("/proc/self/fd/{}/{}", directory.get(), path.filename().string());
  sockaddr_un here{};
  here.sun_family = AF_UNIX;
  if (near.size() >= sizeof here.sun_path) fault(ENAMETOOLONG, "listen at " + path.string());
  near.copy(here.sun_path, sizeof here.sun_path - 1);

  os::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) fault("socket");
  ::unlinkat(directory.get(), path.filename().c_str(), 0);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0)
    fault("bind " + path.string());
  // renga-init connects as its app's user, who has to pass the directory; those above may be
  // closed. A sender must know its dyno's secret.
  using std::filesystem::perms;
  std::filesystem::permissions(path.parent_path(), perms::group_exec | perms::others_exec,
                               std::filesystem::perm_options::add);
  if (::fchmodat(directory.get(), path.filename().c_str(), 0666, 0) != 0)
    fault("chmod " + path.string());
  if (::listen(socket.get(), 1024) != 0) fault("listen at " + path.string());
  return socket;
}

}  // namespace

struct LogListener::State {
  struct Connection {
    os::Fd fd;
    sandbox::LogDecoder decoder;
    std::optional<Sender> sender;
    os::Fd memory;  // that came with the greeting, until that is understood
    std::optional<sandbox::LogRingReader> ring;
    bool watched = false;
  };
  using Connections = std::map<int, Connection>;
  struct Requests {
    bool stop = false;
    std::uint64_t settle_asked = 0;
    std::uint64_t settled = 0;
  };
  using SteadyClock = std::chrono::steady_clock;

  State(const std::filesystem::path& path, Lookup look_up, Deliver deliver_to, Followed who)
      : listening(listen_at(path)),
        epoll(::epoll_create1(EPOLL_CLOEXEC)),
        wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        lookup(std::move(look_up)),
        deliver(std::move(deliver_to)),
        followed(std::move(who)) {
    if (!epoll || !wake) fault("epoll for the dynos' output");
    watch(listening.get());
    watch(wake.get());
    thread = std::thread([this] { work(); });
  }

  ~State() { stop(); }

  void stop() {
    if (!thread.joinable()) return;
    requests.lock()->stop = true;
    nudge();
    thread.join();
    changed.notify_all();
  }

  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) fault("epoll_ctl");
  }

  void nudge() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake.get(), &one, sizeof one);
  }

  void work() {
    std::array<epoll_event, 256> events;
    auto next_look = SteadyClock::now();
    for (;;) {
      const int count = ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()),
                                     patience(next_look));
      if (count < 0 && errno != EINTR) return report("dynos", "epoll_wait failed: no more output");
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listening.get())
          accept();
        else if (fd == wake.get())
          clear_wake();
        else if (const auto found = connections.find(fd); found != connections.end())
          read(found);
      }
      const auto asked = requests.lock()->settle_asked;
      const bool settling = asked != settled_;
      if (settling) read_all();
      if (settling || SteadyClock::now() >= next_look) {
        next_look = SteadyClock::now() + until_next_look();
        look();
      }
      if (settling) {
        settled_ = asked;
        requests.lock()->settled = asked;
        changed.notify_all();
      }
      if (requests.lock()->stop) return;
    }
  }

  // What a look finds in one ring is written and handed on as one piece, and a piece costs more
  // than its lines do: where there are many rings there are no more than a thousand pieces a
  // second.
  std::chrono::milliseconds until_next_look() const {
    return std::clamp(std::chrono::milliseconds(connections.size()), look_every,
                      longest_look_every);
  }

  int patience(SteadyClock::time_point next_look) const {
    if (connections.empty()) return -1;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(next_look - SteadyClock::now()).count();
    return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left, 0));
  }

  void clear_wake() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(wake.get(), &count, sizeof count);
  }

  // Into all rings; and says which of them ring for each line from now on.
  void look() {
    const auto wanted = followed();
    for (auto next = connections.begin(); next != connections.end();) {
      const auto each = next++;
      auto& connection = each->second;
      if (!connection.ring) continue;
      const bool watched =
          !connection.sender->output_stream.empty() || wanted.contains(connection.sender->app);
      if (watched != connection.watched) connection.ring->watch(connection.watched = watched);
      if (!take_from_ring(connection)) connections.erase(each);
    }
  }

  // Everything that senders who are gone have written is in the kernel's buffers by now.
  void read_all() {
    accept();
    for (auto next = connections.begin(); next != connections.end();) {
      const auto each = next++;
      for (int reads = 0; reads < reads_to_settle && read(each); ++reads) {
      }
    }
  }

  void accept() {
    for (;;) {
      os::Fd fd(::accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd) return;
      if (connections.size() >= most_connections) {
        report("dynos", "too many dynos send output at once: one was hung up on");
        continue;
      }
      const int number = fd.get();
      watch(number);
      connections[number].fd = std::move(fd);
    }
  }

  // False when there is nothing more to read now, or the connection is no more.
  bool read(Connections::iterator at) {
    auto& connection = at->second;
    // Memory comes with the greeting or never.
    if (!connection.sender) return hear(at, receive(connection));
    const auto got = ::read(connection.fd.get(), buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    return hear(
        at, std::string_view(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))));
  }

  // Empty at its end; nothing when there is none now.
  std::optional<std::string_view> receive(Connection& connection) {
    try {
      auto received = net::receive_with_fds(connection.fd.get(), sandbox::longest_log_greeting);
      if (received.would_block) return std::nullopt;
      if (!received.fds.empty()) connection.memory = std::move(received.fds.front());
      received.bytes.copy(buffer.data(), buffer.size());
      return std::string_view(buffer.data(), received.bytes.size());
    } catch (const std::exception&) {  // more descriptors than anybody has reason to send
      return std::string_view();
    }
  }

  bool hear(Connections::iterator at, std::optional<std::string_view> bytes) {
    if (!bytes) return false;
    auto& connection = at->second;
    if (!bytes->empty() && take(connection, *bytes)) return true;
    if (bytes->empty() && connection.ring) take_from_ring(connection);  // its last words
    connections.erase(at);
    return false;
  }

  // False: hang up.
  bool take(Connection& connection, std::string_view bytes) {
    if (connection.ring) return take_from_ring(connection);  // it rang
    try {
      frames.clear();
      connection.decoder.feed(bytes, frames);
      if (!connection.sender && !connection.decoder.id().empty()) {
        connection.sender = lookup(connection.decoder.id(), connection.decoder.secret());
        if (!connection.sender) return false;
        if (connection.memory) return connect_ring(connection);
      }
      if (!frames.empty()) deliver(*connection.sender, frames);
      return !connection.decoder.broken();
    } catch (const std::exception& trouble) {
      return hang_up(trouble);
    }
  }

  bool connect_ring(Connection& connection) {
    const auto memory = std::exchange(connection.memory, {});
    auto ring = sandbox::map_log_ring(memory.get());
    if (!ring) return false;
    connection.ring.emplace(std::move(ring));
    connection.ring->watch(connection.watched = true);  // until the next look
    return take_from_ring(connection);
  }

  // False: hang up.
  bool take_from_ring(Connection& connection) {
    try {
      auto& ring = *connection.ring;
      copied.clear();
      if (!ring.read(copied)) return false;
      if (copied.empty()) return true;
      frames.clear();
      connection.decoder.feed(copied, frames);
      if (!frames.empty()) held.add(ring.ring(), ring.place(), deliver(*connection.sender, frames));
      return !connection.decoder.broken();
    } catch (const std::exception& trouble) {
      return hang_up(trouble);
    }
  }

  static bool hang_up(const std::exception& trouble) {
    report("dynos", fmt::format("output of a dyno: {}", trouble.what()));
    return false;
  }

  os::Fd listening, epoll, wake;
  Lookup lookup;
  Deliver deliver;
  Followed followed;
  Connections connections;  // the thread's
  std::array<char, 64 * 1024> buffer;
  std::string copied;                     // of one ring
  std::vector<sandbox::LogFrame> frames;  // of one read
  std::uint64_t settled_ = 0;
  HeldLines held;
  Locked<Requests> requests;
  std::condition_variable changed;
  std::thread thread;
};

LogListener::LogListener(const std::filesystem::path& socket, Lookup lookup, Deliver deliver,
                         Followed followed)
    : state_(std::make_unique<State>(socket, std::move(lookup), std::move(deliver),
                                     std::move(followed))) {}
LogListener::~LogListener() = default;

void LogListener::settle(std::chrono::milliseconds limit) {
  std::uint64_t ticket = 0;
  {
    auto requests = state_->requests.lock();
    ticket = ++requests->settle_asked;
  }
  state_->nudge();
  auto requests = state_->requests.lock();
  requests.wait_for(state_->changed, limit,
                    [&] { return requests->stop || requests->settled >= ticket; });
}

void LogListener::written(logs::Ticket until) { state_->held.written(until); }
void LogListener::stop() { state_->stop(); }

}  // namespace renga::dynos
