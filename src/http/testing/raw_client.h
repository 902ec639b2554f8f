// A client for tests that sends exactly the bytes it is told to, plain or over TLS, and reads
// answers. Blocking, and nothing takes longer than 10 s.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/tls.h"
#include "os/fd.h"

namespace renga::http::testing {

struct Answer {
  int status = 0;  // 0: the connection ended first
  std::string head;
  std::string body;
  bool whole = false;  // false: cut off
};

class RawClient {
 public:
  enum class Over { plain, tls };
  explicit RawClient(const std::string& address, Over over = Over::plain);

  bool send(std::string_view bytes);
  void half_close();
  void close();
  // The next answer, but for 1xx, which are counted.
  Answer answer(std::string_view method = "GET");
  Answer ask(std::string_view bytes, std::string_view method = "GET");
  std::string read_some();  // empty at the end
  std::string read_until(std::string_view marker);
  std::string read_to_end();
  int informational = 0;
  int fd() const { return fd_.get(); }

 private:
  bool fill();

  os::Fd fd_;
  std::unique_ptr<SSL_CTX, net::SslFree> context_;
  std::unique_ptr<SSL, net::SslFree> ssl_;
  std::string buffer_;
};

}  // namespace renga::http::testing
