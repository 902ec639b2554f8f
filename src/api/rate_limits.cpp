// Rate limit: how many calls the account has left.
#include <boost/json.hpp>

#include "api/handlers.h"

namespace renga::api {

Result<Answer> rate_limit_info(Call& call) {
  const auto remaining = call.parts.calls.remaining(call.account().id.value);
  auto answer = ok(json::object{{"remaining", remaining}});
  answer.headers.set("RateLimit-Remaining", std::to_string(remaining));
  return answer;
}

}  // namespace renga::api
