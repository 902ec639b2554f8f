// TlsTransport: TLS over a client's socket.
#pragma once

#include <memory>

#include "net/tls_server.h"
#include "router/transport.h"

namespace renga::router {

class TlsTransport final : public Transport {
 public:
  TlsTransport(os::Fd socket, net::TlsServer& server)
      : socket_(std::move(socket)), server_(server), stream_(server.accept(socket_.get())) {}

  Outcome read(char* into, std::size_t room) override;
  // Gathers the parts, since each write makes a record of its own: about 16 KiB are the most that
  // one may have.
  Outcome write(iovec* parts, std::size_t count) override;
  void finish_writing() override;
  int fd() const override { return socket_.get(); }
  void close() override {
    stream_.reset();
    socket_.close();
  }
  bool read_wants_write() const override { return stream_->read_wants_write(); }
  bool good_for(std::string_view host) const override;
  std::string_view tls_version() const override { return stream_ ? stream_->version() : "unknown"; }
  bool chose_http2() const override { return stream_->handshaken() && stream_->chose_http2(); }

 private:
  os::Fd socket_;
  net::TlsServer& server_;
  std::unique_ptr<net::TlsStream> stream_;  // dies before the socket it writes to
};

}  // namespace renga::router
