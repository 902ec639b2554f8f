// A blocking HTTP client on libcurl: for the CLI, tests and calls to providers. A Client belongs to
// one thread at a time and keeps its connection alive between calls.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace renga::net {
class Destinations;
}

namespace renga::http {

// Where a request may go. Whoever asks on a stranger's word takes `public_addresses`: each address,
// of every redirect too, is looked at after its name was resolved, and no proxy is used, which
// would hide it.
enum class Reach { anywhere, public_addresses };

struct ClientRequest {
  std::string method = "GET";
  std::string url;  // http:// or https://
  Headers headers;
  std::string body;
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds timeout{60'000};  // of the whole call; 0: none
  std::string ca_file;                        // PEM; empty: the system's
  Reach reach = Reach::anywhere;
  // With `public_addresses`: what may be reached besides. Outlives the call.
  const net::Destinations* destinations = nullptr;
  // Past the environment's proxies (http_proxy): for what is on this machine.
  bool direct = false;
  // Ends the call within about a second of becoming true. Outlives the call.
  const std::atomic<bool>* stop = nullptr;
  // When set, gets the answer's body as it comes instead of ClientResponse::body; false stops.
  std::function<bool(std::string_view)> on_body;
};

// A URL without the user and password that it may carry: for messages.
std::string without_credentials(const std::string& url);

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};

class Client {
 public:
  Client();
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Any answer is a success, whatever its status. Kind::unavailable: no answer, and why;
  // Kind::forbidden: an address out of reach.
  Result<ClientResponse> send(const ClientRequest& request);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::http
