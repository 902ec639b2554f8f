#include "client/proxy.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <thread>

#include "net/socket.h"

namespace renga::client {
namespace {

constexpr int first_byte_limit = 60'000;       // milliseconds
constexpr int idle_limit = 2 * 3'600 * 1'000;  // longer than any stream is silent
constexpr std::size_t most_held = 256 * 1024;  // bytes, for each direction

using Io = Tls::Io;

// A socket in the clear, with what Tls has.
class Plain {
 public:
  explicit Plain(int fd) : fd_(fd) {}
  Io read(std::string& into) const {
    char bytes[16 * 1024];
    const auto got = ::recv(fd_, bytes, sizeof bytes, 0);
    if (got > 0) into.assign(bytes, static_cast<std::size_t>(got));
    return got > 0 ? Io::done : outcome(got);
  }
  Io write(std::string& from) const {
    const auto sent = ::send(fd_, from.data(), from.size(), MSG_NOSIGNAL);
    if (sent <= 0) return outcome(sent);
    from.erase(0, static_cast<std::size_t>(sent));
    return Io::done;
  }
  void end_writing() const { ::shutdown(fd_, SHUT_WR); }
  int fd() const { return fd_; }

 private:
  static Io outcome(ssize_t result) {
    return result < 0 && (errno == EAGAIN || errno == EINTR) ? Io::blocked : Io::over;
  }
  int fd_;
};

// Carries bytes both ways until both ends have said their last. An end that is slow holds the
// other back.
template <class Remote>
void carry(Plain local, Remote& remote) {
  std::string outward, inward;
  bool local_open = true, remote_open = true, remote_told = false;
  while (remote_open || !inward.empty()) {
    // Everything that can be done without waiting; TLS may hold bytes that poll knows nothing of.
    bool moved = false;
    std::string bytes;
    if (local_open && outward.size() < most_held) {
      const auto io = local.read(bytes);
      if (io == Io::done) outward += bytes;
      local_open = io != Io::over;
      moved |= io != Io::blocked;
    }
    if (remote_open && inward.size() < most_held) {
      const auto io = remote.read(bytes);
      if (io == Io::done) inward += bytes;
      remote_open = io != Io::over;
      moved |= io != Io::blocked;
    }
    if (!outward.empty()) {
      const auto io = remote.write(outward);
      if (io == Io::over) return;
      moved |= io == Io::done;
    }
    if (!inward.empty()) {
      const auto io = local.write(inward);
      if (io == Io::over) return;
      moved |= io == Io::done;
    }
    if (!local_open && outward.empty() && !remote_told) {
      remote.end_writing();
      remote_told = true;
    }
    if (moved) continue;
    const auto events = [](bool reads, bool writes) {
      return static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
    };
    pollfd waits[] = {
        {local.fd(), events(local_open && outward.size() < most_held, !inward.empty()), 0},
        {remote.fd(), events(remote_open && inward.size() < most_held, !outward.empty()), 0}};
    // An end that nothing is wanted of may be over already, and would be "readable" for ever.
    for (auto& wait : waits)
      if (wait.events == 0) wait.fd = -1;
    if (::poll(waits, 2, idle_limit) == 0) return;
  }
  local.end_writing();
}

// As the server itself would say it: clients print the message.
std::string refusal(const Error& error) {
  const auto body = boost::json::serialize(
      boost::json::object{{"id", "bad_gateway"}, {"message", error.message}});
  return fmt::format(
      "HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\nContent-Length: {}\r\n"
      "Connection: close\r\n\r\n{}",
      body.size(), body);
}

}  // namespace

class Proxy::Connection {
 public:
  Connection(const Proxy& proxy, os::Fd fd)
      : proxy_(proxy), fd_(std::move(fd)), thread_([this] {
          run();
          ::shutdown(fd_.get(), SHUT_RDWR);
          over_ = true;
        }) {}
  ~Connection() {
    ::shutdown(fd_.get(), SHUT_RDWR);
    thread_.join();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  bool over() const { return over_; }

 private:
  void run() {
    pollfd one{fd_.get(), POLLIN, 0};
    unsigned char first = 0;
    if (::poll(&one, 1, first_byte_limit) <= 0 || ::recv(fd_.get(), &first, 1, MSG_PEEK) != 1)
      return;
    const Plain local(fd_.get());
    if (first == 0x16) {
      const auto remote = reach(proxy_.server_);
      if (!remote) return;  // a TLS client understands no other answer
      Plain plain(remote->get());
      carry(local, plain);
      return;
    }
    const auto remote = Tls::connect(proxy_.server_, proxy_.trust_);
    if (remote) return carry(local, **remote);
    auto answer = refusal(remote.error());
    while (!answer.empty() && local.write(answer) == Io::done) continue;
    // What the client still sends is read, so that it is not reset before it has read the answer.
    local.end_writing();
    std::string rest;
    while (::poll(&one, 1, 1'000) > 0 && local.read(rest) == Io::done) continue;
  }

  const Proxy& proxy_;
  os::Fd fd_;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

Proxy::Proxy(Endpoint server, Trust trust) : server_(std::move(server)), trust_(std::move(trust)) {}
Proxy::~Proxy() = default;

Result<void> Proxy::check() const {
  TRY(Tls::connect(server_, trust_));
  return {};
}

void Proxy::serve(int listener, int ends) {
  for (;;) {
    connections_.remove_if([](const auto& connection) { return connection->over(); });
    // One too many waits in the kernel's queue until another has ended.
    const bool room = connections_.size() < most_connections;
    pollfd waits[] = {{ends, POLLIN, 0}, {room ? listener : -1, POLLIN, 0}};
    if (::poll(waits, 2, 1'000) < 0 && errno != EINTR) return;
    if (waits[0].revents != 0) break;
    if (waits[1].revents == 0) continue;
    auto accepted = net::accept(listener);
    if (accepted.fd)
      connections_.push_back(std::make_unique<Connection>(*this, std::move(accepted.fd)));
  }
  connections_.clear();
}

}  // namespace renga::client
