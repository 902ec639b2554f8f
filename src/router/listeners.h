// The sockets where apps answer. Each loop has its own, bound to the same address with
// SO_REUSEPORT; they are opened by control (or by a router that is started by hand) and outlive any
// one process by being handed on.
#pragma once

#include <string>
#include <vector>

#include "net/socket.h"
#include "net/tls_server.h"
#include "os/fd.h"

namespace renga::router {

// How clients came in.
struct Entrance {
  std::string port;        // in decimal, for X-Forwarded-Port
  bool tls = false;        // https
  std::string https_port;  // of the entrance for https, in decimal; empty: there is none
};

struct Listener {
  os::Fd socket;
  Entrance entrance;
  net::TlsServer* tls = nullptr;  // outlives the loops
};

// All the listening sockets, as they are handed on.
struct Sockets {
  std::vector<os::Fd> http;
  std::vector<os::Fd> https;  // may be empty: apps answer over http alone
};

// `count` listening sockets at HOST:PORT; with port 0 the kernel chooses one for all of them.
// Throws when it is no address, or somebody listens there already.
std::vector<os::Fd> open_listeners(const std::string& host_port, std::size_t count);

// The client's address for X-Forwarded-For: an IPv4 one also where it came in over IPv6.
std::string client_ip(const net::Address& peer);

}  // namespace renga::router
