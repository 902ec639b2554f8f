// Proxy: a loopback port that is a server elsewhere. Programs that trust localhost alone (Heroku's
// CLI does) reach it so. Two kinds of connection come in, told apart by their first byte:
//
//   clear text    the API: carried inside TLS, whose certificate is checked here
//   TLS           git, rendezvous, streams: passed on byte by byte; the caller checks the
//                 certificate itself, which names localhost as well
//
// It knows no token and adds none. A connection has a thread of its own; all of them end with the
// object.
#pragma once

#include <atomic>
#include <list>
#include <memory>

#include "base/result.h"
#include "client/tls.h"

namespace renga::client {

class Proxy {
 public:
  static constexpr std::size_t most_connections = 256;

  Proxy(Endpoint server, Trust trust);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  // Serves what comes in here until `ends` is readable. Blocks.
  void serve(int listener, int ends);
  // Whether the server answers over TLS and is trusted: asked before anybody relies on it.
  Result<void> check() const;

 private:
  class Connection;
  Endpoint server_;
  Trust trust_;
  std::list<std::unique_ptr<Connection>> connections_;
};

}  // namespace renga::client
