// `GET /apps/{app}/router-metrics`: what the router has counted of an app's requests since it
// started. renga's own, and asked of the router, which the API's room knows nothing of: so it is
// answered here. Whether the caller may see it is the API's to say: whoever may see the app may.
#pragma once

#include <optional>

#include "api/api.h"
#include "http/server.h"
#include "router/router_link.h"

namespace renga::server {

// None: the request is for something else. Runs on the control endpoint's loop; borrows both.
std::optional<http::Route> router_metrics_route(const http::Request& head, api::Api& api,
                                                router::RouterLink& link);

}  // namespace renga::server
