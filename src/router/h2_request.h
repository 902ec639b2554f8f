// Http2Request: the fields of one HTTP/2 request, gathered and turned into the head of an HTTP/1.1
// one. What RFC 9113 8.2 and 8.3 forbid is found here; then the text is read by the same strict
// parser as every other request, so that no request can mean one thing on this side of the router
// and another on the dyno's. Pure; no nghttp2.
#pragma once

#include <string>
#include <string_view>

#include "http/parser.h"

namespace renga::router {

class Http2Request {
 public:
  // In the order in which they came. After a refusal the rest is ignored.
  void add(std::string_view name, std::string_view value);

  // Once all are here. `has_body`: the stream goes on behind the head.
  // `complete`: head() is whole. `refused`: either the stream is to be reset (malformed() says so,
  // RFC 9113 8.1.1), or the request answered with the refusal's status.
  http::Parsed finish(bool has_body, http::RequestParser& parser);
  bool malformed() const { return malformed_; }
  // Trailer fields are dropped, as HTTP/1.1's are; but they must be well-formed too.
  static bool acceptable_trailer(std::string_view name, std::string_view value);

 private:
  void add_pseudo(std::string_view name, std::string_view value);
  void refuse() { malformed_ = true; }

  std::string method_, path_, scheme_, authority_;
  bool has_authority_ = false;
  std::string fields_;   // as HTTP/1.1 has them
  std::string cookies_;  // crumbs, joined again
  std::string host_;
  std::string head_;
  bool has_host_ = false;
  bool has_length_ = false;
  bool regular_ = false;  // one that is no pseudo-header has come
  bool malformed_ = false;
  bool too_large_ = false;
  std::size_t size_ = 0;  // as SETTINGS_MAX_HEADER_LIST_SIZE counts
};

inline constexpr std::size_t http2_header_list = 64 * 1024;

}  // namespace renga::router
