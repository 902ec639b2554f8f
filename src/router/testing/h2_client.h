// A client that speaks HTTP/2 frame by frame, over TLS: so that tests can also send what no library
// would.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "router/testing/tls_client.h"

struct nghttp2_hd_inflater;

namespace renga::router::testing {

struct H2Frame {
  std::uint8_t type = 0;
  std::uint8_t flags = 0;
  std::uint32_t stream = 0;
  std::string payload;
};

struct H2Answer {
  std::map<std::string, std::string> fields;  // of the last head; ":status" too
  std::string body;
  bool ended = false;
  int reset = -1;  // RST_STREAM's code
  int status() const {
    const auto found = fields.find(":status");
    return found == fields.end() ? 0 : std::stoi(found->second);
  }
};

namespace h2 {
enum : std::uint8_t {
  data = 0,
  headers = 1,
  rst = 3,
  settings = 4,
  ping = 6,
  goaway = 7,
  window = 8,
  continuation = 9
};
enum : std::uint8_t { end_stream = 1, ack = 1, end_headers = 4 };
}  // namespace h2

class H2Client {
 public:
  explicit H2Client(const std::string& port, const std::string& host = "shop.test");
  ~H2Client();

  using Fields = std::vector<std::pair<std::string, std::string>>;
  static std::string block(const Fields& fields);  // HPACK without indexing
  static Fields get(std::string path = "/", std::string host = "shop.test");

  void send(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::string_view payload);
  void raw(std::string_view bytes) { tls_.write(bytes); }
  void request(std::uint32_t stream, const Fields& fields, bool ends = true);
  // The next frame; acknowledges settings and pings by itself. Type 255: closed.
  H2Frame next();
  // Reads until this stream has ended or was reset, giving windows back unless told otherwise.
  H2Answer answer(std::uint32_t stream);
  // Reads until GOAWAY or the end; its code, -1 for a plain end.
  int goaway();
  TlsClient& tls() { return tls_; }
  bool gives_windows = true;

 private:
  void take(const H2Frame& frame);
  TlsClient tls_;
  std::string in_;
  std::string block_;  // of a head that is not whole yet
  std::map<std::uint32_t, H2Answer> answers_;
  nghttp2_hd_inflater* inflater_ = nullptr;
};

}  // namespace renga::router::testing
