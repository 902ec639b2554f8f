#include "http/answer.h"

#include <stdexcept>

#include "base/text.h"
#include "http/octets.h"
#include "http/parser.h"

namespace renga::http {

namespace {

std::string_view error_id(int status) {
  switch (status) {
    case 404:
      return "not_found";
    case 405:
      return "method_not_allowed";
    case 408:
      return "request_timeout";
    case 413:
      return "request_too_large";
    case 414:
      return "uri_too_long";
    case 417:
      return "expectation_failed";
    case 431:
      return "headers_too_large";
    case 500:
      return "internal_server_error";
    case 501:
      return "not_implemented";
    case 503:
      return "service_unavailable";
    case 505:
      return "version_not_supported";
    default:
      return "bad_request";
  }
}

bool is_framing(std::string_view name, bool to_head) {
  if (text::equals_ignoring_case(name, "content-length")) return !to_head;
  return text::equals_ignoring_case(name, "transfer-encoding") ||
         text::equals_ignoring_case(name, "connection");
}

}  // namespace

std::string answer_head(const Response& response, const AnswerShape& shape) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head += reason_phrase(response.status);
  head += "\r\n";
  const bool own_length = shape.to_head && response.headers.has("content-length");
  for (const auto& [name, value] : response.headers) {
    if (is_framing(name, own_length)) continue;
    if (!is_token(name) || !octets::all(value, octets::value)) {
      throw std::logic_error("The answer's header \"" + text::printable(name) +
                             "\" has a character that would break out of its line.");
    }
    head.append(name).append(": ").append(value).append("\r\n");
  }
  if (shape.body == AnswerBody::length && !own_length) {
    head += "Content-Length: " + std::to_string(shape.length) + "\r\n";
  } else if (shape.body == AnswerBody::chunked) {
    head += "Transfer-Encoding: chunked\r\n";
  }
  if (!shape.keep_alive) {
    head += "Connection: close\r\n";
  } else if (shape.minor == 0) {
    head += "Connection: keep-alive\r\n";
  }
  head += "\r\n";
  return head;
}

Response refusal(int status, std::string_view message, std::string_view request_id) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json;charset=utf-8");
  response.headers.add("Request-Id", std::string(request_id));
  if (status == 503) response.headers.add("Retry-After", "1");
  response.body = "{\"id\":\"" + std::string(error_id(status)) + "\",\"message\":\"" +
                  std::string(message) + "\"}";
  return response;
}

}  // namespace renga::http
