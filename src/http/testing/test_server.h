// A Server whose routes are a map from path to Route, with a certificate of its own.
#pragma once

#include <csignal>
#include <map>
#include <memory>
#include <string>

#include "http/server.h"
#include "net/testing/certificate.h"

namespace renga::http::testing {

struct TestServer {
  std::map<std::string, Route> routes;
  LineHandler on_line;
  ServerLimits limits;
  net::testing::Certificate certificate = net::testing::make_certificate();
  std::unique_ptr<Server> server;

  TestServer() { std::signal(SIGPIPE, SIG_IGN); }

  void route(const std::string& path, Handler handler) {
    Route made;
    made.handler = std::move(handler);
    routes[path] = std::move(made);
  }
  void streamed(const std::string& path, Handler handler) {
    route(path, std::move(handler));
    routes[path].stream_body = true;
  }
  const std::string start() {
    ServerOptions options;
    options.tls = std::make_shared<const net::TlsContext>(certificate.certificate, certificate.key);
    options.limits = limits;
    options.on_line = on_line;
    options.router = [this](const Request& head) {
      const auto found = routes.find(head.path);
      return found == routes.end() ? Route() : found->second;
    };
    server = std::make_unique<Server>(std::move(options));
    server->start();
    return server->address();
  }
};

}  // namespace renga::http::testing
