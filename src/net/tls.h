// TLS server contexts for the loop's connections, on OpenSSL: TLS 1.2 and 1.3, no ALPN. OpenSSL
// writes without MSG_NOSIGNAL, so the program must ignore SIGPIPE.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace renga::net {

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

// Shared by connections on any thread (OpenSSL counts references).
class TlsContext {
 public:
  // PEM texts. Throws std::runtime_error with OpenSSL's reason when they do not fit together.
  TlsContext(const std::string& certificate_chain, const std::string& private_key);
  // An accepting SSL on this non-blocking socket; the caller owns the socket.
  std::unique_ptr<SSL, SslFree> accept(int fd) const;

 private:
  std::unique_ptr<SSL_CTX, SslFree> context_;
};

}  // namespace renga::net
