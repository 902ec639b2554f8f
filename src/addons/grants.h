// Grants: how a provider gets tokens of its own. A grant's code goes out with every request to
// provision and is good once, for five minutes; the access token that it is exchanged for is good
// for eight hours, the refresh token until the add-on is gone. All of it is stored as SHA-256 only.
// Blocks on the store; safe from any thread.
#pragma once

#include <string>
#include <string_view>

#include "addons/addon.h"
#include "addons/catalog.h"

namespace renga::addons {

class Grants {
 public:
  Grants(store::Database& database, Clock& clock, Catalog& catalog)
      : database_(database), clock_(clock), catalog_(catalog) {}

  struct Grant {
    std::string code;
    Time expires_at;
  };
  Grant issue(const Id<Addon>& addon);

  struct Tokens {
    std::string access_token;
    std::string refresh_token;
    std::chrono::seconds expires_in;
  };
  // Kind::unauthorized: a code or token that is unknown, expired or used, or not this client's
  // secret; which of them is not said.
  Result<Tokens> exchange(std::string_view code, std::string_view client_secret);
  Result<Tokens> refresh(std::string_view refresh_token, std::string_view client_secret);

  // The add-on that an access token is for. Kind::unauthorized.
  Result<Id<Addon>> check(std::string_view access_token);

 private:
  Result<void> check_client(const Id<Addon>& addon, std::string_view client_secret);
  std::string issue_token(const Id<Addon>& addon, std::string_view kind,
                          std::optional<Time> expires_at);

  store::Database& database_;
  Clock& clock_;
  Catalog& catalog_;
};

}  // namespace renga::addons
