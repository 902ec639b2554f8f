#include "http/transport.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <cerrno>

namespace renga::http {

namespace {

Transport::Outcome socket_outcome(ssize_t result) {
  using Io = Transport::Io;
  if (result > 0) return {Io::done, static_cast<std::size_t>(result)};
  if (result == 0) return {Io::ended, 0};
  return {errno == EAGAIN ? Io::blocked : Io::failed, 0};
}

}  // namespace

Transport::Outcome Transport::peek(char& byte) {
  ssize_t got = 0;
  do {
    got = ::recv(fd_.get(), &byte, 1, MSG_PEEK);
  } while (got < 0 && errno == EINTR);
  return socket_outcome(got);
}

void Transport::start_tls(const net::TlsContext& context) { ssl_ = context.accept(fd_.get()); }

Transport::Outcome Transport::tls_outcome(int result, std::size_t bytes) {
  if (result > 0) return {Io::done, bytes};
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return {Io::blocked, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {Io::ended, 0};
    default:
      // Many clients close without close_notify. A body's own length tells whether anything is
      // missing, so to us it is an end like any other.
      const bool cut = ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
      broken_ = true;
      ERR_clear_error();
      return {cut ? Io::ended : Io::failed, 0};
  }
}

Transport::Outcome Transport::read(char* data, std::size_t size) {
  if (ssl_) {
    if (broken_) return {Io::ended, 0};
    ERR_clear_error();
    std::size_t bytes = 0;
    const auto result = SSL_read_ex(ssl_.get(), data, size, &bytes);
    return tls_outcome(result, bytes);
  }
  ssize_t got = 0;
  do {
    got = ::recv(fd_.get(), data, size, 0);
  } while (got < 0 && errno == EINTR);
  return socket_outcome(got);
}

Transport::Outcome Transport::write(std::string_view bytes) {
  if (ssl_) {
    if (broken_) return {Io::failed, 0};
    ERR_clear_error();
    std::size_t written = 0;
    const auto result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
    return tls_outcome(result, written);
  }
  ssize_t sent = 0;
  do {
    sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return socket_outcome(sent);
}

void Transport::end_writing() {
  if (ssl_ && !broken_ && SSL_is_init_finished(ssl_.get())) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // one attempt: a full socket loses its close_notify, not data
    ERR_clear_error();
  }
  ::shutdown(fd_.get(), SHUT_WR);
}

void Transport::close() {
  ssl_.reset();
  fd_.close();
}

}  // namespace renga::http
