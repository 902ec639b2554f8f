// What a fuzzer feeds to the edge behind the parser. The first byte chooses: a request's head that
// the parser took must come out of forwarding as exactly one request of the same framing and app;
// an answer's likewise; the fields of an HTTP/2 request end as such a head or are refused; a host
// is looked up. edge_fuzz_test.cpp runs it over mutations of its own, the preset `fuzz` under
// libFuzzer.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "http/parser.h"
#include "router/forwarding.h"
#include "router/h2_request.h"
#include "router/route_index.h"

namespace {

using namespace renga;
using namespace renga::router;
using http::Parse;

void insist(bool holds) {
  if (!holds) std::abort();
}

// What the router would send to the dyno for this head, and what a strict reader makes of it.
void forward(const http::RequestHead& head) {
  std::string out;
  write_request_head(out, head,
                     {.client_ip = "192.0.2.1",
                      .port = "443",
                      .proto = "https",
                      .via = "1.1",
                      .request_id = "01234567-89ab-4cde-8f01-23456789abcd",
                      .start = 1});
  // What the router adds may take a head of the largest size over it; dynos are not that narrow.
  http::RequestParser parser({.line = 128 * 1024, .count = 2000, .head = 256 * 1024});
  const auto parsed = parser.parse(out);
  insist(parsed.state == Parse::complete && parser.head().size == out.size());
  const auto& sent = parser.head();
  insist(sent.method == head.method && sent.target == head.target && sent.host == head.host);
  insist(sent.framing.body == head.framing.body && sent.framing.length == head.framing.length);
  insist(sent.minor == 1 && sent.keep_alive && sent.expect == http::Expect::nothing);
  insist(!sent.upgrade || passes_upgrade(head));
  int forwarded = 0;
  for (const auto& field : sent.fields) {
    insist(!http::same_name(field.name, "proxy") && !http::same_name(field.name, "te"));
    if (!http::same_name(field.name, "x-forwarded-for")) continue;
    ++forwarded;
    insist(field.value.ends_with("192.0.2.1"));
  }
  insist(forwarded == 1);
}

void try_request(std::string_view input) {
  http::RequestParser parser;
  if (parser.parse(input).state != Parse::complete) return;
  if (parser.head().host.empty()) return;  // HTTP/1.0 without Host is refused behind the parser
  forward(parser.head());
}

void try_response(std::string_view input) {
  http::ResponseParser parser;
  if (parser.parse(input, "GET").state != Parse::complete) return;
  const auto& head = parser.head();
  if (head.status < 200) return;
  for (const int minor : {0, 1}) {
    const auto relay = relay_of(head, minor);
    std::string out;
    write_response_head(
        out, head,
        {.relay = relay, .client_minor = minor, .date = "Thu, 01 Jan 1970 00:00:00 GMT"});
    http::ResponseParser reader({.first_line = 16 * 1024,
                                 .line = 1024 * 1024,
                                 .count = 2000,
                                 .head = 2 * 1024 * 1024,
                                 .set_cookie = 1024 * 1024});
    insist(reader.parse(out, "GET").state == Parse::complete);
    insist(reader.head().size == out.size() && reader.head().status == head.status);
    const auto& framing = reader.head().framing;
    if (relay == Relay::length) insist(framing.length == head.framing.length);
    if (relay == Relay::chunked || relay == Relay::into_chunks) {
      insist(framing.body == http::Body::chunked && !reader.head().conflicting_lengths);
    }
    if (relay == Relay::none) insist(framing.body == http::Body::none);
  }
}

// Fields as lines of name, tab and value.
void try_http2(std::string_view input) {
  Http2Request request;
  for (const auto line : text::split(input, '\n')) {
    const auto tab = line.find('\t');
    request.add(line.substr(0, tab), tab == std::string_view::npos ? "" : line.substr(tab + 1));
  }
  for (const bool has_body : {false, true}) {
    Http2Request copy = request;
    http::RequestParser parser;
    const auto parsed = copy.finish(has_body, parser);
    if (copy.malformed()) insist(parsed.state == Parse::refused);
    if (parsed.state != Parse::complete || parser.head().host.empty()) continue;
    insist(parser.head().minor == 1 && !parser.head().upgrade);
    insist(has_body || parser.head().framing.body != http::Body::chunked);
    forward(parser.head());
  }
}

void try_host(std::string_view input) {
  static const RouteIndex index = [] {
    RouteTable table;
    table.routes.resize(3);
    for (std::size_t i = 0; i < table.routes.size(); ++i) table.routes[i].app = std::to_string(i);
    table.hosts = {{"shop.test", 0}, {"*.shop.test", 1}, {"*.eu.shop.test", 2}};
    TableDifference difference;
    return RouteIndex(std::move(table), RouteIndex(), difference);
  }();
  const auto* app = index.find(input);
  auto name = text::lower(http::without_port(input));
  if (name.ends_with('.')) name.pop_back();
  const auto* expected = name == "shop.test"                                   ? "0"
                         : name.size() > 13 && name.ends_with(".eu.shop.test") ? "2"
                         : name.size() > 10 && name.ends_with(".shop.test")    ? "1"
                                                                               : nullptr;
  if (name.size() >= 256 || name.empty()) expected = nullptr;
  insist((app == nullptr) == (expected == nullptr));
  if (app != nullptr) insist((*app)->route.app == expected);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      try_request(input);
      break;
    case 1:
      try_response(input);
      break;
    case 2:
      try_http2(input);
      break;
    default:
      try_host(input);
      break;
  }
  return 0;
}
