// Server: the control endpoint. One event-loop thread holds every connection; the first byte tells
// TLS (0x16) from plain. Handlers are plain blocking functions on a pool of worker threads.
//
// Limits: head 64 KiB (431), buffered body 10 MiB unless the route says otherwise (413), and those
// of ServerLimits.
//
// The program must ignore SIGPIPE (see net/tls.h). Handlers, streamed bodies' reads and on_line run
// on worker threads and may block; a handler may keep its ResponseStream after it returned.
//
// A quick route's handler runs on the loop's thread, which saves handing the call over and back: it
// takes about as long as that would, waits for nobody, neither a lock that is held for long nor a
// disk's sync, and gives a whole answer.
//
// A client that closes its sending side still gets its answer, but not a streamed one: there the
// end of the client's bytes is the only sign that it left, and counts as such.
#pragma once

#include <chrono>
#include <functional>
#include <map>
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
  bool quick = false;                 // the handler runs on the loop's thread: see below
  std::size_t body_limit = 10 << 20;  // bytes; of a streamed body, none
  std::map<std::string, std::string> params;
};

// Chooses the route of a head. Runs on the loop's thread: must be quick and must not block.
using Router = std::function<Route(const Request& head)>;

// A connection that speaks, over TLS, a line that is not HTTP: `<secret>\r\n` (rendezvous). Gets
// the line and the raw byte stream both ways.
class RawConnection : public BodyReader, public ResponseStream {};
using LineHandler = std::function<void(const std::string& line, std::shared_ptr<RawConnection>)>;

struct ServerLimits {
  std::size_t connections = 4096;  // one more is closed at once
  std::size_t threads = 128;       // handlers at once; one more gets 503
  std::chrono::milliseconds head{
      30'000};  // from the first byte (or the connection) to the head's end
  std::chrono::milliseconds idle{60'000};   // between two requests
  std::chrono::milliseconds body{60'000};   // between two pieces of a body
  std::chrono::milliseconds send{60'000};   // a client that takes nothing of its answer
  std::chrono::milliseconds linger{2'000};  // for the client to close after the last answer
};

struct ServerOptions {
  std::string listen = "127.0.0.1:0";          // HOST:PORT; port 0 lets the kernel choose
  std::shared_ptr<const net::TlsContext> tls;  // none: TLS connections are closed
  Router router;
  LineHandler on_line;  // none: such connections are closed. Runs on a worker thread
  ServerLimits limits;
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
  // Stops accepting and lets requests under way finish, for at most `limit`. From any thread but
  // the server's own.
  void drain(std::chrono::milliseconds limit);
  std::string address() const;  // HOST:PORT, with the port the kernel chose

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::http
