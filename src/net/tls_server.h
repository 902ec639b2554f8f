// The server's side of TLS for many host names: one context for all connections, certificates that
// can be exchanged while they live, and a stream over one socket. TLS 1.2 and 1.3, ALPN, sessions
// resumed by tickets under keys that this process makes, rotates and never writes down.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct ssl_st;

namespace renga::net {

struct NamedCertificate {
  std::vector<std::string> names;  // lower-case host names; "*.example.com" is good for one label
  std::string chain;               // PEM, the server's own certificate first
  std::string key;                 // PEM
  bool operator==(const NamedCertificate&) const = default;
};

// Certificates by host name, ready for use. Immutable; shared by every thread.
class TlsCertificates {
 public:
  // The first is also for clients that name no host, or one that nobody has. What OpenSSL cannot
  // use is left out, and `refused` told of it: one app's certificate must not end everybody's.
  TlsCertificates(const std::vector<NamedCertificate>& certificates,
                  std::vector<std::string>& refused);
  ~TlsCertificates();
  TlsCertificates(const TlsCertificates&) = delete;
  TlsCertificates& operator=(const TlsCertificates&) = delete;

 private:
  friend class TlsServer;
  struct State;
  std::unique_ptr<State> state_;
};

enum class Protocols { http1, http1_and_2 };  // what ALPN offers

// One accepted connection: a non-blocking socket, which stays the caller's and must outlive it.
// Belongs to one thread.
class TlsStream {
 public:
  enum class Status { moved, blocked, closed, broken };
  struct Outcome {
    Status status = Status::blocked;
    std::size_t bytes = 0;  // of `moved`
    bool drained = false;   // neither the kernel nor OpenSSL has more for now
  };
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  // The handshake is part of reading. At most one record's bytes come at a time.
  Outcome read(char* into, std::size_t room);
  // One record at most. What was blocked must be written again first, from its first byte on.
  Outcome write(std::string_view bytes);
  // A blocked read() that waits for the socket to be writable (its handshake does not fit).
  bool read_wants_write() const { return read_wants_write_; }
  void end_writing();  // close_notify, one attempt

  bool handshaken() const;
  bool chose_http2() const;
  // The host that the client named in its handshake (SNI); empty: none.
  std::string_view server_name() const;
  std::string_view version() const;  // "tls1.3", "tls1.2"; "unknown" before the handshake
  // The handshake failed because the client speaks plain HTTP; an answer to it must be plain too.
  bool met_plain_http() const { return met_plain_http_; }

 private:
  friend class TlsServer;
  struct Wire;
  TlsStream(ssl_st* ssl, std::unique_ptr<Wire> wire);
  Outcome failed(int result);

  std::unique_ptr<Wire> wire_;
  ssl_st* ssl_;
  bool broken_ = false;
  bool read_wants_write_ = false;
  bool met_plain_http_ = false;
};

// Safe from any thread. Outlives its streams.
class TlsServer {
 public:
  explicit TlsServer(Protocols protocols);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  // For handshakes from now on; connections that stand are not touched. Until the first call every
  // handshake fails.
  void use(std::shared_ptr<const TlsCertificates> certificates);
  std::unique_ptr<TlsStream> accept(int socket);
  // Whether clients of both hosts are shown the same certificate.
  bool same_certificate(std::string_view host, std::string_view other) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::net
