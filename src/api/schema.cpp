// Schema: what the API is, for programs. tools/api_docs writes it; the build puts it in here.
#include <boost/json.hpp>

#include "api/account_handlers.h"

// Made by renga_embed (cmake/embed.cmake).
extern "C" {
extern const char renga_api_schema[];
extern const char renga_api_schema_end[];
}

namespace renga::api {

Result<Answer> schema_info(Call&) {
  const std::string_view text(renga_api_schema,
                              static_cast<std::size_t>(renga_api_schema_end - renga_api_schema));
  return ok(json::parse(text));
}

}  // namespace renga::api
