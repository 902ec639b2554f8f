#include "client/tls.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace renga::client {
namespace {

constexpr int connect_limit = 10'000;  // milliseconds, for each address and for the handshake

struct FreeList {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

bool wait_for(int fd, short events) {
  pollfd one{fd, events, 0};
  return ::poll(&one, 1, connect_limit) > 0;
}

}  // namespace

Result<os::Fd> reach(const Endpoint& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found))
    return fail(Kind::unavailable,
                fmt::format("{} was not found: {}.", address.host, ::gai_strerror(error)));
  const std::unique_ptr<addrinfo, FreeList> all(found);
  std::string why = "no address";
  for (const auto* one = all.get(); one != nullptr; one = one->ai_next) {
    os::Fd fd(::socket(one->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    int error = 0;
    if (::connect(fd.get(), one->ai_addr, one->ai_addrlen) != 0) {
      error = errno;
      if (error == EINPROGRESS) {
        socklen_t size = sizeof error;
        error = ETIMEDOUT;
        if (wait_for(fd.get(), POLLOUT))
          ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
      }
    }
    if (error == 0) {
      const int on = 1;  // keystrokes do not wait for others
      ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      return fd;
    }
    why = std::strerror(error);
  }
  return fail(Kind::unavailable,
              fmt::format("{}:{} could not be reached: {}.", address.host, address.port, why));
}

Result<std::unique_ptr<Tls>> Tls::connect(const Endpoint& address, const Trust& trust) {
  auto made = std::make_unique<Tls>();
  made->fd_ = TRY(reach(address));
  made->context_.reset(SSL_CTX_new(TLS_client_method()));
  auto* context = made->context_.get();
  const bool trusts = trust.ca.empty()
                          ? SSL_CTX_set_default_verify_paths(context) == 1
                          : SSL_CTX_load_verify_locations(context, trust.ca.c_str(), nullptr);
  if (!trusts)
    return fail(Kind::unavailable,
                fmt::format("The certificates in {} could not be read.", trust.ca.string()));
  SSL_CTX_set_verify(context, trust.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  made->ssl_.reset(SSL_new(context));
  auto* ssl = made->ssl_.get();
  SSL_set_fd(ssl, made->fd_.get());
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), address.host.c_str()) != 1) {
    SSL_set1_host(ssl, address.host.c_str());
    SSL_set_tlsext_host_name(ssl, address.host.c_str());
  }
  for (;;) {
    const int done = SSL_connect(ssl);
    if (done == 1) return made;
    const int error = SSL_get_error(ssl, done);
    if (error == SSL_ERROR_WANT_READ && wait_for(made->fd_.get(), POLLIN)) continue;
    if (error == SSL_ERROR_WANT_WRITE && wait_for(made->fd_.get(), POLLOUT)) continue;
    const auto verified = SSL_get_verify_result(ssl);
    return fail(Kind::unavailable,
                verified != X509_V_OK
                    ? fmt::format("The certificate of {} is not trusted: {}. RENGA_CA names the "
                                  "file that vouches for it.",
                                  address.host, X509_verify_cert_error_string(verified))
                    : fmt::format("{}:{} did not answer over TLS.", address.host, address.port));
  }
}

Tls::Io Tls::read(std::string& into) {
  char bytes[16 * 1024];
  ERR_clear_error();
  const int got = SSL_read(ssl_.get(), bytes, sizeof bytes);
  if (got <= 0) return io(got);
  into.assign(bytes, static_cast<std::size_t>(got));
  return Io::done;
}

Tls::Io Tls::write(std::string& from) {
  ERR_clear_error();
  const int sent = SSL_write(ssl_.get(), from.data(), static_cast<int>(from.size()));
  if (sent <= 0) return io(sent);
  from.erase(0, static_cast<std::size_t>(sent));
  return Io::done;
}

void Tls::end_writing() { SSL_shutdown(ssl_.get()); }

Tls::Io Tls::io(int result) const {
  const int error = SSL_get_error(ssl_.get(), result);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? Io::blocked : Io::over;
}

}  // namespace renga::client
