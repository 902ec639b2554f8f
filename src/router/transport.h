// Transport: the bytes of one connection, without a protocol: a non-blocking TCP socket. Whatever
// the edge speaks below HTTP (TLS, when it comes) is put in here, and nothing above will notice;
// only drained() would then have to ask the library whether it still holds decrypted bytes.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstddef>

#include "os/fd.h"

namespace renga::router {

class Transport {
 public:
  enum class Status { moved, blocked, closed, broken };
  struct Outcome {
    Status status = Status::blocked;
    std::size_t bytes = 0;  // of `moved`
    bool drained = false;   // read less than there was room for: the kernel has no more for now
  };

  explicit Transport(os::Fd socket) : socket_(std::move(socket)) {}

  Outcome read(char* into, std::size_t room) {
    while (true) {
      const auto got = ::recv(socket_.get(), into, room, 0);
      if (got > 0) {
        const auto bytes = static_cast<std::size_t>(got);
        return {Status::moved, bytes, bytes < room};
      }
      if (got == 0) return {Status::closed, 0, true};
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return {Status::blocked, 0, true};
      return {Status::broken, 0, true};
    }
  }

  Outcome write(iovec* parts, std::size_t count) {
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = count;
    while (true) {
      const auto sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
      if (sent >= 0) return {Status::moved, static_cast<std::size_t>(sent), false};
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return {Status::blocked, 0, false};
      return {Status::broken, 0, false};
    }
  }

  void finish_writing() { ::shutdown(socket_.get(), SHUT_WR); }
  int fd() const { return socket_.get(); }
  void close() { socket_.close(); }

 private:
  os::Fd socket_;
};

}  // namespace renga::router
