// Platform: the Platform API as the CLI calls it: JSON in, JSON out, refusals as Errors with the
// server's own words. Belongs to one thread.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/settings.h"
#include "http/message.h"

namespace renga::client {

// Sends one request; the real one is http::Client, tests have their own.
class Transport {
 public:
  virtual ~Transport() = default;
  struct Answer {
    int status = 0;
    http::Headers headers;
    std::string body;
  };
  // `on_body`, when set, gets the body as it comes; false ends it.
  virtual Result<Answer> send(const std::string& method, const std::string& url,
                              const http::Headers& headers, const std::string& body,
                              const std::function<bool(std::string_view)>& on_body) = 0;
};

// The real one. `ca`: PEM file to trust; empty: the system's.
std::unique_ptr<Transport> http_transport(const std::filesystem::path& ca);

class Platform {
 public:
  Platform(Settings settings, Transport& transport)
      : settings_(std::move(settings)), transport_(transport) {}

  const Settings& settings() const { return settings_; }

  Result<boost::json::value> get(const std::string& path, const std::string& range = {});
  Result<boost::json::value> post(const std::string& path, const boost::json::value& body);
  Result<boost::json::value> patch(const std::string& path, const boost::json::value& body);
  Result<boost::json::value> put(const std::string& path, const boost::json::value& body);
  Result<boost::json::value> remove(const std::string& path);
  Result<boost::json::value> remove(const std::string& path, const boost::json::value& body);

  // To a capability URL: no token is sent.
  Result<void> upload(const std::string& url, const std::string& bytes);
  // A capability URL (logs, build output): no token is sent. Pieces as they come.
  Result<void> stream(const std::string& url, const http::Headers& headers,
                      const std::function<bool(std::string_view)>& on_body);

 private:
  Result<boost::json::value> call(const std::string& method, const std::string& path,
                                  const boost::json::value* body, const std::string& range);
  Settings settings_;
  Transport& transport_;
};

}  // namespace renga::client
