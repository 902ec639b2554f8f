// Transport: one non-blocking connection's bytes, plain or TLS. Private to http/; belongs to the
// loop's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "net/tls.h"
#include "os/fd.h"

namespace renga::http {

class Transport {
 public:
  enum class Io { done, blocked, ended, failed };
  struct Outcome {
    Io io = Io::done;
    std::size_t bytes = 0;
  };

  explicit Transport(os::Fd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }
  bool tls() const { return ssl_ != nullptr; }
  // The first byte, which stays to be read; `done` and 1 when it is there.
  Outcome peek(char& byte);
  void start_tls(const net::TlsContext& context);  // the handshake is part of reading

  Outcome read(char* data, std::size_t size);
  Outcome write(std::string_view bytes);
  // No more to say: close_notify and FIN. What the client still says can be read.
  void end_writing();
  void close();

 private:
  Outcome tls_outcome(int result, std::size_t bytes);

  os::Fd fd_;
  std::unique_ptr<SSL, net::SslFree> ssl_;  // dies before the socket it writes to
  bool broken_ = false;
};

}  // namespace renga::http
