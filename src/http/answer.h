// How an answer's head is written, and the answers that the server gives by itself. Private to
// http/.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace renga::http {

enum class AnswerBody {
  none,     // the head is all: 204 and 304
  length,   // Content-Length
  chunked,  // Transfer-Encoding
  until_close
};

struct AnswerShape {
  AnswerBody body = AnswerBody::length;
  std::size_t length = 0;
  bool keep_alive = true;
  int minor = 1;         // the client's version
  bool to_head = false;  // HEAD: a handler's own Content-Length is kept
};

// The head with its empty line. Framing is ours alone: what the handler says about it is left out.
// Throws std::logic_error when a header would break out of its line.
std::string answer_head(const Response& response, const AnswerShape& shape);

// {"id":…,"message":…}; both must not need escaping in JSON.
Response refusal(int status, std::string_view message, std::string_view request_id);

}  // namespace renga::http
