#include "router/testing/tls_client.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <stdexcept>

#include "net/socket.h"

namespace renga::router::testing {

namespace {

[[noreturn]] void failed(const std::string& what) {
  char reason[256] = "no reason given";
  if (const auto code = ERR_get_error(); code != 0) ERR_error_string_n(code, reason, sizeof reason);
  ERR_clear_error();
  throw std::runtime_error(what + ": " + reason);
}

}  // namespace

TlsClient::TlsClient(const std::string& port, const std::string& host, SSL_SESSION* session,
                     std::string_view protocols)
    : context_(SSL_CTX_new(TLS_client_method())), ssl_(SSL_new(context_.get())) {
  auto socket = net::connect_tcp("127.0.0.1:" + port, std::chrono::seconds(10));
  if (!socket) throw std::runtime_error(socket.error().message);
  socket_ = *std::move(socket);
  const timeval limit{10, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  SSL_set_fd(ssl_.get(), socket_.get());
  if (!host.empty()) SSL_set_tlsext_host_name(ssl_.get(), host.c_str());
  if (session != nullptr) SSL_set_session(ssl_.get(), session);
  if (!protocols.empty()) {
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned>(protocols.size()));
  }
  if (SSL_connect(ssl_.get()) != 1) failed("no handshake");
}

void TlsClient::write(std::string_view bytes) {
  std::size_t written = 0;
  if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) != 1) failed("write");
}

std::string TlsClient::read_some(std::size_t most) {
  std::string bytes(most, '\0');
  std::size_t got = 0;
  const int result = SSL_read_ex(ssl_.get(), bytes.data(), bytes.size(), &got);
  if (result != 1) {
    const int why = SSL_get_error(ssl_.get(), result);
    if (why == SSL_ERROR_WANT_READ || (why == SSL_ERROR_SYSCALL && errno == EAGAIN)) {
      throw std::runtime_error("nothing came in ten seconds");
    }
    ERR_clear_error();
    return {};
  }
  bytes.resize(got);
  return bytes;
}

std::string TlsClient::read_until(std::string_view mark) {
  std::size_t found;
  while ((found = in_.find(mark)) == std::string::npos) {
    const auto more = read_some();
    if (more.empty()) throw std::runtime_error("closed before the mark; so far: " + in_);
    in_ += more;
  }
  auto text = in_.substr(0, found + mark.size());
  in_.erase(0, text.size());
  return text;
}

std::string TlsClient::read(std::size_t count) {
  while (in_.size() < count) {
    const auto more = read_some();
    if (more.empty()) throw std::runtime_error("closed too early");
    in_ += more;
  }
  auto text = in_.substr(0, count);
  in_.erase(0, count);
  return text;
}

std::string TlsClient::common_name() const {
  char name[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(ssl_.get())),
                            NID_commonName, name, sizeof name);
  return name;
}

std::string TlsClient::protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return std::string(reinterpret_cast<const char*>(name), size);
}

void TlsClient::reset() {
  const linger now{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  socket_.close();
}

}  // namespace renga::router::testing
