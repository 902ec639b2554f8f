#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <algorithm>
#include <stdexcept>

#include "base/fault.h"
#include "net/socket.h"

namespace renga::net {

namespace {

using SteadyClock = std::chrono::steady_clock;

void set(int fd, int level, int option, int value) {
  if (::setsockopt(fd, level, option, &value, sizeof value) != 0) fault("setsockopt");
}

// Waits until the socket is connected or `until` has passed; the error, or 0.
int wait_connected(int fd, SteadyClock::time_point until) {
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now()).count();
    if (left <= 0) return ETIMEDOUT;
    pollfd one{fd, POLLOUT, 0};
    const auto ready = ::poll(&one, 1, static_cast<int>(std::min<std::int64_t>(left, 1 << 30)));
    if (ready > 0) return connect_error(fd);
    if (ready < 0 && errno != EINTR) return errno;
  }
}

}  // namespace

os::Fd listen_tcp(const std::string& host_port, Port port, int backlog) {
  const auto addresses = resolve(host_port);
  if (!addresses) throw std::runtime_error("Cannot listen: " + addresses.error().message);
  int error = 0;
  for (const auto& address : *addresses) {
    os::Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) {
      error = errno;
      continue;
    }
    set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (port == Port::shared) set(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
    if (address.family() == AF_INET6) set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (::bind(fd.get(), address.raw(), address.size()) == 0 && ::listen(fd.get(), backlog) == 0) {
      return fd;
    }
    error = errno;
  }
  fault(error, "Cannot listen on " + host_port);
}

Accepted accept(int listener) {
  while (true) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    os::Fd fd(::accept4(listener, reinterpret_cast<sockaddr*>(&storage), &size,
                        SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) return {std::move(fd), Address(reinterpret_cast<const sockaddr*>(&storage), size), 0};
    switch (errno) {
      case EAGAIN:
        return {};
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        return {{}, {}, errno};
      case EBADF:
      case EINVAL:
      case EFAULT:
      case ENOTSOCK:
      case EOPNOTSUPP:
        fault("accept a connection");
      default:
        // accept(2): the new socket's own errors come out here as well, and only cost that one.
        continue;
    }
  }
}

Result<os::Fd> connect_tcp(const std::string& host_port, std::chrono::milliseconds limit) {
  const auto addresses = TRY(resolve(host_port));
  const auto until = SteadyClock::now() + limit;
  int error = 0;
  for (const auto& address : addresses) {
    auto connecting = start_connect(address);
    error = connecting.error;
    if (!connecting.fd) continue;
    error = wait_connected(connecting.fd.get(), until);
    if (error == 0) {
      set_blocking(connecting.fd.get(), true);
      return std::move(connecting.fd);
    }
  }
  return fail(Kind::unavailable, "Cannot connect to " + host_port + ": " +
                                     std::generic_category().message(error) + ".");
}

Connecting start_connect(const Address& address) {
  os::Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return {{}, errno};
  if (address.family() != AF_UNIX) set_no_delay(fd.get());
  if (::connect(fd.get(), address.raw(), address.size()) != 0 && errno != EINPROGRESS) {
    return {{}, errno};
  }
  return {std::move(fd), 0};
}

int connect_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

void set_no_delay(int fd) { set(fd, IPPROTO_TCP, TCP_NODELAY, 1); }

void set_keep_alive(int fd) {
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

void set_blocking(int fd, bool blocking) {
  const auto flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) fault("fcntl");
  const auto wanted = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
  if (::fcntl(fd, F_SETFL, wanted) != 0) fault("fcntl");
}

}  // namespace renga::net
