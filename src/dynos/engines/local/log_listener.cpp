#include "dynos/engines/local/log_listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <condition_variable>
#include <map>
#include <thread>

#include "base/fault.h"
#include "base/locked.h"
#include "base/report.h"
#include "os/fd.h"

namespace renga::dynos {
namespace {

constexpr std::size_t most_connections = 4'096;
// Between two looks, while they find less than this; a dyno that floods is read from at once.
constexpr int rest_milliseconds = 20;
constexpr std::size_t little = 16 << 10;
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
  };
  struct Requests {
    bool stop = false;
    std::uint64_t settle_asked = 0;
    std::uint64_t settled = 0;
  };

  State(const std::filesystem::path& path, Lookup look, Deliver deliver_to)
      : listening(listen_at(path)),
        epoll(::epoll_create1(EPOLL_CLOEXEC)),
        wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        lookup(std::move(look)),
        deliver(std::move(deliver_to)) {
    if (!epoll || !wake) fault("epoll for the dynos' output");
    watch(listening.get());
    watch(wake.get());
    thread = std::thread([this] { work(); });
  }

  ~State() {
    requests.lock()->stop = true;
    nudge();
    thread.join();
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
    for (;;) {
      read_ = 0;
      const int count =
          ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), -1);
      if (count < 0 && errno != EINTR) return report("dynos", "epoll_wait failed: no more output");
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listening.get())
          accept();
        else if (fd == wake.get())
          clear_wake();
        else
          read(fd);
      }
      const auto asked = requests.lock()->settle_asked;
      if (asked != settled_) settle_up_to(asked);
      if (requests.lock()->stop) return;
      if (read_ < little) rest();
    }
  }

  // Ends early when somebody asks for something.
  void rest() {
    pollfd asked{wake.get(), POLLIN, 0};
    ::poll(&asked, 1, rest_milliseconds);
  }

  void clear_wake() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(wake.get(), &count, sizeof count);
  }

  // Everything that senders who are gone have written is in the kernel's buffers by now.
  void settle_up_to(std::uint64_t asked) {
    accept();
    std::vector<int> fds;
    for (const auto& [fd, connection] : connections) fds.push_back(fd);
    for (const int fd : fds)
      for (int reads = 0; reads < reads_to_settle && read(fd); ++reads) {
      }
    settled_ = asked;
    requests.lock()->settled = asked;
    changed.notify_all();
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

  // False when there is nothing more to read now.
  bool read(int fd) {
    const auto found = connections.find(fd);
    if (found == connections.end()) return false;
    auto& connection = found->second;
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (got > 0) read_ += static_cast<std::size_t>(got);
    const bool more =
        got > 0 && take(connection, std::string_view(buffer.data(), static_cast<std::size_t>(got)));
    if (!more) connections.erase(found);
    return more;
  }

  // False: hang up.
  bool take(Connection& connection, std::string_view bytes) {
    try {
      frames.clear();
      connection.decoder.feed(bytes, frames);
      if (!connection.sender && !connection.decoder.id().empty()) {
        connection.sender = lookup(connection.decoder.id(), connection.decoder.secret());
        if (!connection.sender) return false;
      }
      if (!frames.empty()) deliver(*connection.sender, frames);
      return !connection.decoder.broken();
    } catch (const std::exception& trouble) {
      report("dynos", fmt::format("output of a dyno: {}", trouble.what()));
      return false;
    }
  }

  os::Fd listening, epoll, wake;
  Lookup lookup;
  Deliver deliver;
  std::map<int, Connection> connections;  // the thread's
  std::array<char, 64 * 1024> buffer;
  std::vector<sandbox::LogFrame> frames;  // of one read
  std::size_t read_ = 0;                  // bytes, in one look
  std::uint64_t settled_ = 0;
  Locked<Requests> requests;
  std::condition_variable changed;
  std::thread thread;
};

LogListener::LogListener(const std::filesystem::path& socket, Lookup lookup, Deliver deliver)
    : state_(std::make_unique<State>(socket, std::move(lookup), std::move(deliver))) {}
LogListener::~LogListener() = default;

void LogListener::settle(std::chrono::milliseconds limit) {
  std::uint64_t ticket = 0;
  {
    auto requests = state_->requests.lock();
    ticket = ++requests->settle_asked;
  }
  state_->nudge();
  auto requests = state_->requests.lock();
  requests.wait_for(state_->changed, limit, [&] { return requests->settled >= ticket; });
}

}  // namespace renga::dynos
