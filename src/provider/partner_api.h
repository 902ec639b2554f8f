// PartnerApi: the Add-on Partner API v3 as a provider serves it, single sign-on, and the data API,
// all behind the manifest's password. Private to this room.
#pragma once

#include <string>

#include "base/clock.h"
#include "http/server.h"
#include "provider/provider.h"

namespace renga::provider {

struct Secrets {
  std::string id;  // of the service: the user of Basic authentication
  std::string password;
  std::string sso_salt;
};

// Safe from any thread.
class PartnerApi {
 public:
  PartnerApi(Provider& provider, Platform& platform, Secrets secrets, Clock& clock)
      : provider_(provider), platform_(platform), secrets_(std::move(secrets)), clock_(clock) {}

  http::Route route(const http::Request& head);

 private:
  http::Response answer(http::Request& request);
  http::Response resources(const http::Request& request, const std::vector<std::string>& path);
  http::Response provision(const json::object& body);
  http::Response data(const http::Request& request, std::vector<std::string> path);
  http::Response sign_on(const http::Request& request);
  bool knows_password(const http::Request& request) const;

  Provider& provider_;
  Platform& platform_;
  const Secrets secrets_;
  Clock& clock_;
};

}  // namespace renga::provider
