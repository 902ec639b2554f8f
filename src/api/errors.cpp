#include "api/errors.h"

#include <boost/json.hpp>

#include "api/answer.h"

namespace renga::api {

ErrorName name_of(Kind kind) {
  switch (kind) {
    case Kind::bad_request:
      return {400, "bad_request"};
    case Kind::unauthorized:
      return {401, "unauthorized"};
    case Kind::forbidden:
      return {403, "forbidden"};
    case Kind::not_found:
      return {404, "not_found"};
    case Kind::not_acceptable:
      return {406, "not_acceptable"};
    case Kind::conflict:
      return {409, "conflict"};
    case Kind::invalid:
      return {422, "invalid_params"};
    case Kind::too_large:
      return {413, "payload_too_large"};
    case Kind::rate_limited:
      return {429, "rate_limit"};
    case Kind::unavailable:
      return {503, "service_unavailable"};
    // Not 501: clients repeat what failed with a 5xx, and this will not change by asking again.
    case Kind::unsupported:
      return {422, "unsupported"};
  }
  return {500, "internal_server_error"};
}

Answer refusal(int status, std::string_view id, std::string_view message) {
  Answer answer;
  answer.status = status;
  answer.body = json::object{{"id", id}, {"message", message}};
  return answer;
}

Answer refusal(const Error& error, std::string_view resource) {
  const auto name = name_of(error.kind);
  auto answer = refusal(name.status, name.id, error.message);
  if (!resource.empty()) answer.body.as_object()["resource"] = resource;
  return answer;
}

}  // namespace renga::api
