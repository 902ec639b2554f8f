// What becomes of heads on their way through: towards the dyno and back to the client. Pure text:
// parsed heads in, bytes out. The header rules are those of docs/life-of-a-request.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/parser.h"

namespace renga::router {

// What the router knows of a request besides its head.
struct Arrival {
  std::string_view client_ip;
  std::string_view port;   // where it was received: "80"
  std::string_view proto;  // "http" or "https"
  std::string_view via;    // the version it was received in: "1.1"
  std::string_view request_id;
  std::int64_t start = 0;        // milliseconds since 1970
  bool one_request = false;      // the dyno is to close its connection behind the answer
  bool expect_continue = false;  // the dyno is to say 100 itself
};

// Whether a client's X-Request-Id is taken over: 20 to 200 of the characters [A-Za-z0-9+/=-].
bool acceptable_request_id(std::string_view id);

// True for an Upgrade that is passed on: any protocol but h2c, which would hide requests from us.
bool passes_upgrade(const http::RequestHead& head);

// The client's X-Forwarded-For lines as one list with the client's own address appended.
void write_forwarded_for(std::string& out, const http::RequestHead& head,
                         std::string_view client_ip);

// Appends the head for the dyno, which is always HTTP/1.1 and keeps its connection.
void write_request_head(std::string& out, const http::RequestHead& head, const Arrival& arrival);

// How a response's body goes to the client.
enum class Relay {
  none,         // there is none
  length,       // as long as Content-Length says
  chunked,      // chunks pass as they are
  dechunked,    // their payload only, ended by closing: for HTTP/1.0
  into_chunks,  // what ends with the dyno's connection is made chunks
  until_close   // the same for HTTP/1.0
};
Relay relay_of(const http::ResponseHead& head, int client_minor);

struct Return {
  Relay relay = Relay::none;
  int client_minor = 1;
  bool keep_alive = true;        // of the client's connection
  std::string_view date;         // for a response without one
  std::string_view cookie = {};  // of the router's own, to be set; empty: none
};

// Appends the head for the client. Transfer-Encoding and Connection are written as the relay needs
// them; a Content-Length is passed on where it counts, an Upgrade with 101 and 426 alone.
void write_response_head(std::string& out, const http::ResponseHead& head, const Return& back);

// The same for HTTP/2: the fields without the status, names in lower case. Names lie in `names`,
// which must live as long; values where the head has them.
void list_response_fields(std::vector<http::Field>& fields, std::string& names,
                          const http::ResponseHead& head, const Return& back);

}  // namespace renga::router
