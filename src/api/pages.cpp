#include "api/pages.h"

#include <fmt/format.h>

#include "base/text.h"

namespace renga::api {

std::string html(std::string_view text) {
  auto escaped = text::replace_all(std::string(text), "&", "&amp;");
  for (const auto& [from, to] :
       {std::pair{"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}})
    escaped = text::replace_all(std::move(escaped), from, to);
  return escaped;
}

Answer page(int status, const std::string& body, std::string_view policy) {
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", "text/html; charset=utf-8");
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("Referrer-Policy", "no-referrer");
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set(
      "Content-Security-Policy",
      fmt::format("default-src 'none'; {}; frame-ancestors 'none'; base-uri 'none'", policy));
  response.body = "<!doctype html>\n<meta charset=\"utf-8\">\n<title>renga</title>\n" + body;
  Answer answer;
  answer.whole = std::move(response);
  return answer;
}

Answer page_gone() {
  return page(
      404,
      "<p>This address is not valid any more. Open the add-on again: renga addons:open.</p>\n");
}

}  // namespace renga::api
