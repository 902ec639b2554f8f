// Call: one request to the Platform API as a resource's handler sees it: who asks, for what, and
// whom to ask. Lives for one call on one thread.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <string_view>

#include "api/answer.h"
#include "api/api.h"
#include "api/capabilities.h"
#include "api/credentials.h"
#include "api/ranges.h"
#include "api/rate_buckets.h"
#include "api/uploads.h"

namespace renga::api {

// What the API itself keeps, beside the rooms it asks.
struct Parts {
  explicit Parts(const Services& services)
      : capabilities(services.box, services.clock),
        uploads(services.sources_directory, services.fetch_reach),
        calls(services.clock, 4500, 75),
        sign_ins(services.clock, 20, 10),
        log_inputs(services.clock, 120, 600),
        credentials(services.accounts, services.authorizations, services.marketplace, sign_ins) {}
  Capabilities capabilities;
  Uploads uploads;
  RateBuckets calls;       // by account
  RateBuckets sign_ins;    // with a password, by address
  RateBuckets log_inputs;  // by add-on
  Credentials credentials;
};

struct Call {
  const Services& services;
  Parts& parts;
  http::Request& request;
  Caller caller;  // empty where the route needs nothing

  const accounts::Account& account() const { return caller.account; }
  const std::string& param(const std::string& name) const { return request.param(name); }

  // The app of {app}, which the caller may use so.
  Result<apps::App> app(apps::Permission permission) const {
    return services.apps.find_for(caller.account, param("app"), permission);
  }
  Result<json::object> body() const;

  // The control endpoint as this caller reached it (any host name will do), and a URL on it.
  std::string base_url() const;
  std::string url(std::string_view path) const { return base_url() + std::string(path); }

  // Its e-mail address and id, as objects name a user; remembered for the rest of the call.
  json::object user(const Id<accounts::Account>& id);

  // Tells the app's log what this caller did: "app[api]: <what> by user <e-mail>".
  void log(const Id<apps::App>& app, std::string_view what) const;

  template <class T, class ToJson>
  Answer page(const std::vector<T>& elements, const std::vector<Order<T>>& orders,
              ToJson to_json) const {
    return list(request.headers.value_or("Range", ""), elements, orders, to_json);
  }

  std::map<std::string, json::object> users = {};
};

using Handler = Result<Answer> (*)(Call&);

}  // namespace renga::api
