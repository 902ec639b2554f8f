// Http2Stream: one HTTP/2 stream as a ClientConnection's transport. Reading gives the request's
// body in HTTP/1.1's framing, as its head says; writing takes the answer's body without any. Heads
// are frames of their own. Outlives its connection, and is deaf and mute from then on.
#pragma once

#include "router/forwarding.h"
#include "router/h2_connection.h"
#include "router/transport.h"

namespace renga::router {

class Http2Stream final : public Transport {
 public:
  Http2Stream(Http2Connection& connection, Http2Connection::Stream& stream)
      : connection_(&connection), stream_(&stream) {}
  ~Http2Stream() override { close(); }

  Outcome read(char* into, std::size_t room) override;
  Outcome write(iovec* parts, std::size_t count) override;
  void finish_writing() override {}
  int fd() const override { return -1; }
  // Resets the stream, unless both sides have said all.
  void close() override;
  bool good_for(std::string_view host) const override {
    return connection_ == nullptr || connection_->good_for(host);
  }
  std::string_view tls_version() const override;
  Http2Stream* stream() override { return this; }
  void end_message() override;
  bool flushed() const override;

  void send_continue();
  // `body`: one will follow, and end_message() behind it.
  enum class Follows { body, nothing };
  void send_head(const http::ResponseHead& head, const Return& back, Follows follows);
  // The connection is gone, or the client has reset the stream.
  void detach() {
    connection_ = nullptr;
    stream_ = nullptr;
  }

 private:
  Http2Connection* connection_;
  Http2Connection::Stream* stream_;
};

}  // namespace renga::router
