// Tls: a TLS connection to a server whose certificate is checked, on a socket that does not block.
// Belongs to one thread.
#pragma once

#include <openssl/ssl.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "os/fd.h"

namespace renga::client {

struct Endpoint {
  std::string host, port;
};

// A socket that does not block, connected. Kind::unavailable: not found or not reached.
Result<os::Fd> reach(const Endpoint& endpoint);

struct Trust {
  std::filesystem::path ca;  // PEM file to trust; empty: the system's
  bool verify = true;
};

class Tls {
 public:
  // Kind::unavailable: not reached, or not trusted.
  static Result<std::unique_ptr<Tls>> connect(const Endpoint& endpoint, const Trust& trust);

  enum class Io { done, blocked, over };
  Io read(std::string& into);
  Io write(std::string& from);  // what was written is gone from it
  void end_writing();           // says that nothing more comes
  int fd() const { return fd_.get(); }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  Io io(int result) const;

  os::Fd fd_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
};

}  // namespace renga::client
