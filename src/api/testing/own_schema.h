// OwnSchema: holds answers against the project's own schemas (docs/schema), as GET /schema gives
// them: that of the call that was answered, found by its link.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <string>
#include <vector>

#include "api/routes.h"
#include "api/testing/schema_check.h"

// Made by renga_embed (cmake/embed.cmake).
extern "C" {
extern const char renga_api_schema[];
extern const char renga_api_schema_end[];
}

namespace renga::api {

class OwnSchema {
 public:
  OwnSchema() {
    for (const auto& [name, definition] : check_.definitions())
      for (const auto& link : definition.at("links").as_array())
        // A call that answers with something else than its resource says so.
        if (!link.as_object().contains("answers"))
          resources_[call(link.at("method").as_string(), link.at("href").as_string())] =
              std::string(name);
  }

  // What is wrong with this answer to a call, unless it is a refusal: a line each.
  std::vector<std::string> flaws(std::string_view method, std::string_view path,
                                 const http::Response& response) const {
    std::vector<std::string> found;
    if (response.status >= 300 || response.body.empty() || response.stream ||
        response.headers.value_or("Content-Type", "") != "application/json")
      return found;
    const auto match = table_.find(method, path);
    if (match.row == nullptr) return found;
    const auto resource = resources_.find(call(match.row->method, match.row->path));
    if (resource == resources_.end()) return found;
    const auto answer = boost::json::parse(response.body);
    if (answer.is_array()) {
      for (const auto& element : answer.as_array())
        check_.members(resource->second, element, found);
    } else if (!answer.is_object() || !answer.as_object().empty()) {  // {}: heard, and on its way
      check_.members(resource->second, answer, found);
    }
    return found;
  }

 private:
  static std::string call(std::string_view method, std::string_view path) {
    return std::string(method) + " " + std::string(path);
  }
  SchemaCheck check_{boost::json::parse(boost::json::string_view(
      renga_api_schema, static_cast<std::size_t>(renga_api_schema_end - renga_api_schema)))};
  RouteTable table_;
  std::map<std::string, std::string> resources_;
};

}  // namespace renga::api
