// Transport: the bytes of one connection, whatever carries them: a TCP socket as it is (a dyno's,
// or a plain client's), or TLS over one. Non-blocking. Belongs to its loop's thread.
#pragma once

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>

#include "os/fd.h"

namespace renga::router {

class Http2Stream;

class Transport {
 public:
  enum class Status { moved, blocked, closed, broken };
  struct Outcome {
    Status status = Status::blocked;
    std::size_t bytes = 0;  // of `moved`
    bool drained = false;   // there is no more to be read for now
  };

  virtual ~Transport() = default;
  virtual Outcome read(char* into, std::size_t room) = 0;
  // What was blocked is written again from its first byte, and at least as much of it.
  virtual Outcome write(iovec* parts, std::size_t count) = 0;
  virtual void finish_writing() = 0;
  virtual int fd() const = 0;
  virtual void close() = 0;
  // A blocked read() that waits for the socket to be writable: TLS, in its handshake.
  virtual bool read_wants_write() const { return false; }
  // HTTP/2, where an answer's end is a frame's, and heads are frames of their own.
  virtual Http2Stream* stream() { return nullptr; }
  virtual void end_message() {}
  virtual bool flushed() const { return true; }  // what was written has been sent, its end included
  // Said in TLS's handshake, once there was one.
  virtual bool chose_http2() const { return false; }
  // Whether the client was shown this host's certificate (a Host's value, without port): what it
  // trusts this connection for.
  virtual bool good_for(std::string_view) const { return true; }
  // "tls1.3", for the log line; empty: no TLS.
  virtual std::string_view tls_version() const { return {}; }
};

// By the system calls themselves: libc's recv() and send() are points where a thread can be
// cancelled, and pay with two locked instructions each for what nobody here does.
class SocketTransport final : public Transport {
 public:
  explicit SocketTransport(os::Fd socket) : socket_(std::move(socket)) {}

  Outcome read(char* into, std::size_t room) override {
    while (true) {
      const auto got = ::syscall(SYS_recvfrom, socket_.get(), into, room, 0, nullptr, nullptr);
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

  Outcome write(iovec* parts, std::size_t count) override {
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = count;
    // The kernel takes one part with less ado than several, if they are small.
    std::array<char, 2048> together;
    iovec whole;
    if (count > 1 && gather(parts, count, together, whole)) {
      parts = &whole;
      count = 1;
    }
    while (true) {
      const auto sent = count == 1 ? ::syscall(SYS_sendto, socket_.get(), parts->iov_base,
                                               parts->iov_len, MSG_NOSIGNAL, nullptr, 0)
                                   : ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
      if (sent >= 0) return {Status::moved, static_cast<std::size_t>(sent), false};
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return {Status::blocked, 0, false};
      return {Status::broken, 0, false};
    }
  }

  void finish_writing() override { ::shutdown(socket_.get(), SHUT_WR); }
  int fd() const override { return socket_.get(); }
  void close() override { socket_.close(); }

 private:
  static bool gather(const iovec* parts, std::size_t count, std::span<char> into, iovec& whole) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (parts[i].iov_len > into.size() - size) return false;
      std::memcpy(into.data() + size, parts[i].iov_base, parts[i].iov_len);
      size += parts[i].iov_len;
    }
    whole = {into.data(), size};
    return true;
  }

  os::Fd socket_;
};

}  // namespace renga::router
