#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <stdexcept>

#include "base/fault.h"
#include "net/socket.h"

namespace renga::net {

namespace {

constexpr std::size_t most_fds = 64;

int kernel_type(UnixType type) { return type == UnixType::stream ? SOCK_STREAM : SOCK_SEQPACKET; }

os::Fd make_socket(UnixType type) {
  os::Fd fd(::socket(AF_UNIX, kernel_type(type) | SOCK_CLOEXEC, 0));
  if (!fd) fault("make a unix socket");
  return fd;
}

Address unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // unix(7): the path and its NUL have 108 bytes.
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    throw std::runtime_error("The path of a unix socket must have 1 to 107 bytes, and " + path +
                             " has " + std::to_string(path.size()) +
                             ". Choose a shorter data directory.");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return Address(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace

os::Fd listen_unix(const std::string& path, unsigned mode, UnixType type) {
  const auto address = unix_address(path);
  auto fd = make_socket(type);
  set_blocking(fd.get(), false);
  // Linux gives the file the mode of the socket, less the umask: nobody slips in before chmod().
  if (::fchmod(fd.get(), mode) != 0) fault("set the mode of " + path);
  if (::bind(fd.get(), address.raw(), address.size()) != 0) {
    if (errno != EADDRINUSE) fault("Cannot listen on " + path);
    auto probe = make_socket(type);
    set_blocking(probe.get(), false);  // a living listener may have a full backlog
    if (::connect(probe.get(), address.raw(), address.size()) == 0 || errno != ECONNREFUSED) {
      fault(EADDRINUSE, "Cannot listen on " + path);
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) fault("remove the dead socket " + path);
    if (::bind(fd.get(), address.raw(), address.size()) != 0) fault("Cannot listen on " + path);
  }
  if (::chmod(path.c_str(), mode) != 0) fault("set the mode of " + path);
  if (::listen(fd.get(), 128) != 0) fault("Cannot listen on " + path);
  return fd;
}

Result<os::Fd> connect_unix(const std::string& path, UnixType type) {
  const auto address = unix_address(path);
  auto fd = make_socket(type);
  while (::connect(fd.get(), address.raw(), address.size()) != 0) {
    if (errno == EINTR) continue;
    return fail(Kind::unavailable,
                "Nobody answers at " + path + ": " + std::generic_category().message(errno) + ".");
  }
  return fd;
}

std::pair<os::Fd, os::Fd> unix_pair(UnixType type) {
  int fds[2];
  if (::socketpair(AF_UNIX, kernel_type(type) | SOCK_CLOEXEC, 0, fds) != 0) fault("socketpair");
  return {os::Fd(fds[0]), os::Fd(fds[1])};
}

bool send_with_fds(int socket, std::string_view bytes, std::span<const int> fds) {
  if (bytes.empty() || fds.size() > most_fds) {
    throw std::invalid_argument("A message needs a byte, and takes at most 64 descriptors.");
  }
  alignas(cmsghdr) char control[CMSG_SPACE(most_fds * sizeof(int))] = {};
  iovec data{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (!fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    auto* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }
  bool started = false;
  while (data.iov_len > 0) {
    const auto sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN) return false;
      if (errno == EAGAIN && !started) return false;
      fault("send descriptors");
    }
    // The descriptors went with the first bytes.
    started = true;
    message.msg_control = nullptr;
    message.msg_controllen = 0;
    data.iov_base = static_cast<char*>(data.iov_base) + sent;
    data.iov_len -= static_cast<std::size_t>(sent);
  }
  return true;
}

Received receive_with_fds(int socket, std::size_t most_bytes) {
  alignas(cmsghdr) char control[CMSG_SPACE(most_fds * sizeof(int))] = {};
  Received received;
  received.bytes.resize(most_bytes);
  iovec data{received.bytes.data(), received.bytes.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    received.bytes.clear();
    if (errno == ECONNRESET) return received;
    if (errno != EAGAIN) fault("receive descriptors");
    received.would_block = true;
    return received;
  }
  received.bytes.resize(static_cast<std::size_t>(got));
  // Owned before anything can throw.
  for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const auto count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      received.fds.emplace_back(fd);
    }
  }
  if ((message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0) {
    fault(EMSGSIZE, "receive a message with descriptors");
  }
  return received;
}

}  // namespace renga::net
