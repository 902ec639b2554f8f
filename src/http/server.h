// Server: the control endpoint. One event-loop thread holds every connection; the first byte tells
// TLS (0x16) from plain. Handlers are plain blocking functions on a pool of worker threads.
//
// Limits: head 64 KiB (431), buffered body 10 MiB unless the route says otherwise (413), 30 s for a
// head, 60 s between two pieces of a body, 4,096 connections, 128 worker threads (503 beyond).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "http/message.h"
#include "net/tls.h"

namespace renga::http {

using Handler = std::function<Response(Request&)>;

// What to do with a request, decided when its head is there and before its body is read.
struct Route {
  Handler handler;
  bool stream_body = false;           // hand over Request::stream instead of Request::body
  std::size_t body_limit = 10 << 20;  // bytes; of a streamed body, none
  std::map<std::string, std::string> params;
};

// Chooses the route of a head. Runs on the loop's thread: must be quick and must not block.
using Router = std::function<Route(const Request& head)>;

// A connection that speaks, over TLS, a line that is not HTTP: `<secret>\r\n` (rendezvous). Gets
// the line and the raw byte stream both ways.
class RawConnection : public BodyReader, public ResponseStream {};
using LineHandler = std::function<void(const std::string& line, std::shared_ptr<RawConnection>)>;

struct ServerOptions {
  std::string listen = "127.0.0.1:0";          // HOST:PORT; port 0 lets the kernel choose
  std::shared_ptr<const net::TlsContext> tls;  // none: TLS connections are closed
  Router router;
  LineHandler on_line;  // none: such connections are closed
};

class Server {
 public:
  // Listens at once (throws std::system_error when it cannot) and serves after start().
  explicit Server(ServerOptions options);
  // Stops accepting, closes every connection, waits for the handlers that run.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void start();
  // Stops accepting and lets requests under way finish, for at most `limit`.
  void drain(std::chrono::milliseconds limit);
  std::string address() const;  // HOST:PORT, with the port the kernel chose

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::http
