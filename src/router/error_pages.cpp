#include "router/error_pages.h"

#include <fmt/format.h>

#include "http/message.h"

namespace renga::router {

namespace {

std::string escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string page(std::string_view title, std::string_view text, std::string_view code = {}) {
  return fmt::format(
      "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>{0}</title></head>\n"
      "<body>\n<h1>{0}</h1>\n<p>{1}</p>\n{2}{3}{4}</body>\n</html>\n",
      title, text, code.empty() ? "" : "<p><small>", code, code.empty() ? "" : "</small></p>\n");
}

std::string framed(std::string_view title, std::string_view url) {
  return fmt::format(
      "<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"><title>{}</title>\n"
      "<style>html, body, iframe {{ margin: 0; border: 0; height: 100%; width: 100%; overflow: "
      "hidden }}</style></head>\n<body><iframe src=\"{}\"></iframe></body>\n</html>\n",
      title, escape(url));
}

}  // namespace

std::string error_page(const HCode& code, const Route* route) {
  if (code.code == h::maintenance.code) {
    constexpr std::string_view title = "Offline for Maintenance";
    if (route != nullptr && !route->maintenance_page_url.empty()) {
      return framed(title, route->maintenance_page_url);
    }
    return page(title, "This application is undergoing maintenance. Please check back later.",
                code.code);
  }
  if (code.code == h::blank_app.code) {
    return page("No release yet",
                "There is nothing here yet: this application was created, but never deployed. "
                "Push it with git.",
                code.code);
  }
  constexpr std::string_view title = "Application Error";
  if (route != nullptr && !route->error_page_url.empty()) {
    return framed(title, route->error_page_url);
  }
  return page(title,
              "An error occurred in the application and its page could not be served. If you are "
              "the application's owner, check its logs for details.",
              code.code);
}

std::string no_such_app_page() {
  return page("No such app", "There is no app at this address. Check its name.");
}

std::string refusal_page(int status, std::string_view reason) {
  return page(fmt::format("{} {}", status, http::reason_phrase(status)), escape(reason));
}

}  // namespace renga::router
