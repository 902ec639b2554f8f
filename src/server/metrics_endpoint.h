// MetricsEndpoint: `GET /metrics` in Prometheus' text format, for the operator's own monitoring.
// Without a password: it listens where the operator says, and nowhere unless they do.
#pragma once

#include <memory>
#include <string>

#include "http/server.h"
#include "router/router_link.h"

namespace renga::server {

class MetricsEndpoint {
 public:
  // Serves at once at HOST:PORT. Throws when it cannot. Borrows the link.
  MetricsEndpoint(const std::string& listen, router::RouterLink& link);
  std::string address() const { return server_.address(); }

 private:
  http::Server server_;
};

}  // namespace renga::server
