// Heroku's conventions about headers, apart from who calls: versions, request ids and caching.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace renga::api {

// Version 3 of the API in any variant is served, and what does not ask for a version.
// Kind::not_acceptable.
Result<void> check_version(std::string_view accept);

// The client's ids and ours, without repetition, joined by commas.
std::string joined_request_ids(const http::Request& request);

// Cache-Control and, on a successful GET, an ETag; a 304 without a body when the client has that
// already.
void add_caching(const http::Request& request, http::Response& response);

}  // namespace renga::api
