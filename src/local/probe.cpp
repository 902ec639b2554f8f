#include "local/probe.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/text.h"

namespace renga::local {
namespace {

bool is_writable(int fd) {
  pollfd one{fd, POLLOUT, 0};
  return ::poll(&one, 1, 0) > 0;
}

}  // namespace

bool Probe::step(Steady::time_point now) {
  if (socket_ && now - since_ > answer_limit) socket_.close();
  if (!socket_) {
    // Some servers listen on one of the two alone.
    by_ipv6_ = !by_ipv6_;
    since_ = now;
    asked_ = 0;
    answer_.clear();
    if (!connect()) socket_.close();
  }
  if (!socket_ || !is_writable(socket_.get())) return false;
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
    socket_.close();
    return false;
  }
  if (check_.kind != Check::Kind::page) return true;
  return ask() && hear();
}

bool Probe::connect() {
  socket_ = os::Fd(
      ::socket(by_ipv6_ ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_) return false;
  const auto port = htons(static_cast<std::uint16_t>(port_));
  sockaddr_in plain{};
  plain.sin_family = AF_INET;
  plain.sin_port = port;
  plain.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = port;
  six.sin6_addr = in6addr_loopback;
  const auto* address = by_ipv6_ ? reinterpret_cast<const sockaddr*>(&six)
                                 : reinterpret_cast<const sockaddr*>(&plain);
  const socklen_t size = by_ipv6_ ? sizeof six : sizeof plain;
  return ::connect(socket_.get(), address, size) == 0 || errno == EINPROGRESS;
}

// True once the whole question was sent.
bool Probe::ask() {
  const auto question = fmt::format(
      "GET {} HTTP/1.1\r\nHost: localhost:{}\r\nUser-Agent: renga-local\r\nConnection: "
      "close\r\n\r\n",
      check_.path, port_);
  if (asked_ == question.size()) return true;
  const auto sent = ::send(socket_.get(), question.data() + asked_, question.size() - asked_,
                           MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent > 0) asked_ += static_cast<std::size_t>(sent);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) socket_.close();
  return socket_ && asked_ == question.size();
}

// True when the answer begins with a status below 400.
bool Probe::hear() {
  constexpr std::string_view longest_start = "HTTP/1.1 200";
  char bytes[longest_start.size()];
  const auto got =
      ::recv(socket_.get(), bytes, longest_start.size() - answer_.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (got > 0) answer_.append(bytes, static_cast<std::size_t>(got));
  if (got > 0 && answer_.size() < longest_start.size()) return false;
  socket_.close();
  const auto status = answer_.starts_with("HTTP/1.") && answer_.size() == longest_start.size()
                          ? text::number(answer_.substr(9))
                          : std::nullopt;
  return status && *status >= 100 && *status < 400;
}

}  // namespace renga::local
