// A client over TLS: blocking, for tests. It trusts nobody in particular; tests look at the
// certificate themselves.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "os/fd.h"

namespace renga::router::testing {

class TlsClient {
 public:
  // Connects and shakes hands; throws when that fails. `session`: of an earlier connection, to be
  // resumed. `protocols` as ALPN has them: "\x02h2".
  TlsClient(const std::string& port, const std::string& host, SSL_SESSION* session = nullptr,
            std::string_view protocols = {});

  // Says goodbye: a session whose connection was cut must not be resumed.
  ~TlsClient() { SSL_shutdown(ssl_.get()); }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  void write(std::string_view bytes);
  // At most so many; empty at the end. Throws after ten seconds of nothing.
  std::string read_some(std::size_t most = 64 * 1024);
  std::string read_until(std::string_view mark);
  std::string read(std::size_t count);
  std::string common_name() const;  // of the server's certificate
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  std::string protocol() const;
  SSL_SESSION* session() const { return SSL_get1_session(ssl_.get()); }  // the caller's to free
  void reset();                                                          // closes with a RST
  void close() { socket_.close(); }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  os::Fd socket_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
  std::string in_;
};

}  // namespace renga::router::testing
