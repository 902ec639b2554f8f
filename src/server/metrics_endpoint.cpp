#include "server/metrics_endpoint.h"

#include "router/figures.h"

namespace renga::server {
namespace {

http::Response plain(int status, std::string_view type, std::string body) {
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", std::string(type));
  response.body = std::move(body);
  return response;
}

http::Response metrics(router::RouterLink& link) {
  const auto figures = link.figures();
  if (!figures) return plain(503, "text/plain; charset=utf-8", figures.error().message + "\n");
  return plain(200, router::prometheus_type, router::prometheus_text(*figures));
}

http::Route route(const http::Request& head, router::RouterLink& link) {
  http::Route found;
  const bool known = head.path == "/metrics" && (head.method == "GET" || head.method == "HEAD");
  found.handler = [&link, known](http::Request&) {
    return known ? metrics(link)
                 : plain(404, "text/plain; charset=utf-8", "There is GET /metrics here.\n");
  };
  return found;
}

}  // namespace

// Few scrape, and seldom: a few threads, and a small crowd of connections.
MetricsEndpoint::MetricsEndpoint(const std::string& listen, router::RouterLink& link)
    : server_({.listen = listen,
               .tls = nullptr,
               .router = [&link](const http::Request& head) { return route(head, link); },
               .on_line = nullptr,
               .limits = {.connections = 64, .threads = 4}}) {
  server_.start();
}

}  // namespace renga::server
