#include "router/h2_request.h"

#include <algorithm>
#include <utility>

namespace renga::router {

namespace {

// RFC 9113 8.2.1: lower case, a token, and no colon but a pseudo-header's first.
bool is_name(std::string_view name) {
  return http::is_token(name) &&
         std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_value(std::string_view value) {
  if (!value.empty()) {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    if (blank(value.front()) || blank(value.back())) return false;
  }
  return std::all_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7f) || c == '\t';
  });
}

// What could end the request line, or part it elsewhere.
bool fits_request_line(std::string_view value) {
  return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f;
  });
}

// RFC 9113 8.2.2.
bool is_of_the_connection(std::string_view name) {
  return name == "connection" || name == "keep-alive" || name == "proxy-connection" ||
         name == "transfer-encoding" || name == "upgrade";
}

}  // namespace

void Http2Request::add_pseudo(std::string_view name, std::string_view value) {
  if (regular_ || !is_value(value)) return refuse();
  const auto once = [&](std::string& into, bool there) {
    if (there) return refuse();
    into = value;
  };
  if (name == ":method") {
    once(method_, !method_.empty());
  } else if (name == ":path") {
    once(path_, !path_.empty());
  } else if (name == ":scheme") {
    once(scheme_, !scheme_.empty());
  } else if (name == ":authority") {
    once(authority_, has_authority_);
    has_authority_ = true;
  } else {
    refuse();
  }
}

void Http2Request::add(std::string_view name, std::string_view value) {
  if (malformed_ || too_large_) return;
  size_ += name.size() + value.size() + 32;
  if (size_ > http2_header_list) {
    too_large_ = true;
    return;
  }
  if (name.starts_with(':')) return add_pseudo(name, value);
  regular_ = true;
  if (!is_name(name) || !is_value(value) || is_of_the_connection(name)) return refuse();
  if (name == "te" && value != "trailers") return refuse();
  if (name == "cookie") {
    // 8.2.3: HTTP/1.1 knows one Cookie line.
    if (!cookies_.empty()) cookies_ += "; ";
    cookies_ += value;
    return;
  }
  if (name == "host") {
    if (std::exchange(has_host_, true)) return refuse();
    host_ = value;
    return;
  }
  has_length_ = has_length_ || name == "content-length";
  fields_.append(name).append(": ").append(value).append("\r\n");
}

http::Parsed Http2Request::finish(bool has_body, http::RequestParser& parser) {
  using http::Flaw;
  const auto refused = [](Flaw flaw, std::string_view reason) {
    return http::Parsed{http::Parse::refused, flaw, reason};
  };
  parser.reset();
  if (too_large_) return refused(Flaw::header_too_large, "The request's fields are too large.");
  const bool connect = method_ == "CONNECT";
  if (!fits_request_line(method_) || (connect ? !has_authority_ : !fits_request_line(path_)) ||
      (!connect && scheme_ != "https" && scheme_ != "http")) {
    refuse();
  }
  // 8.3.1: where there are both they name the same.
  if (has_host_ && has_authority_ && host_ != authority_) refuse();
  if (has_authority_ && authority_.empty()) refuse();
  if (malformed_) return refused(Flaw::malformed, "The request is malformed.");
  if (connect) return refused(Flaw::method_not_allowed, "CONNECT is not allowed here.");
  if (path_ != "*" && path_.front() != '/') {
    refuse();
    return refused(Flaw::malformed, "The request's path does not begin with a slash.");
  }

  head_.clear();
  head_.append(method_).append(" ").append(path_).append(" HTTP/1.1\r\n");
  const auto& host = has_authority_ ? authority_ : host_;
  head_.append("Host: ").append(host).append("\r\n");
  head_.append(fields_);
  if (!cookies_.empty()) head_.append("cookie: ").append(cookies_).append("\r\n");
  if (has_body && !has_length_) head_.append("Transfer-Encoding: chunked\r\n");
  head_.append("\r\n");
  auto parsed = parser.parse(head_);
  if (parsed.state == http::Parse::need_more) {
    return refused(Flaw::malformed, "The request's head is not one.");
  }
  // Nothing may be left: then the head ended somewhere else than it should have.
  if (parsed.state == http::Parse::complete && parser.head().size != head_.size()) {
    return refused(Flaw::malformed, "The request's head is not one.");
  }
  return parsed;
}

bool Http2Request::acceptable_trailer(std::string_view name, std::string_view value) {
  return is_name(name) && is_value(value) && !is_of_the_connection(name);
}

}  // namespace renga::router
