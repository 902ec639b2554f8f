// Credentials: who makes a call, and what their token allows.
#pragma once

#include <optional>
#include <string>

#include "accounts/accounts.h"
#include "accounts/authorizations.h"
#include "addons/marketplace.h"
#include "api/rate_buckets.h"
#include "http/message.h"

namespace renga::api {

// What a route asks of its caller, from least to most.
enum class Needs {
  nothing,         // the URL itself is the credential
  password,        // a token with all rights, or the account's e-mail address and password
  identity,        // any token
  read,            // of apps
  read_protected,  // and of their config vars
  write,
  write_protected,             // of config vars, and what shows them: one-off dynos
  everything,                  // the account and its tokens
  read_or_provider,            // read; or an add-on's provider, of that add-on
  read_protected_or_provider,  // the same
  provider,                    // nobody but an add-on's provider
};

struct Caller {
  accounts::Account account;
  accounts::Authorization authorization;
  std::string token;  // as it was sent; empty for a password
  // Set for a provider, which may see this add-on and nothing else. The account is then none that
  // exists: its e-mail address names the service.
  std::optional<Id<addons::Addon>> addon = {};
};

class Credentials {
 public:
  // `attempts`: bounds the guessing of passwords, by address.
  Credentials(accounts::Accounts& accounts, accounts::Authorizations& authorizations,
              addons::Marketplace& marketplace, RateBuckets& attempts)
      : accounts_(accounts),
        authorizations_(authorizations),
        marketplace_(marketplace),
        attempts_(attempts) {}

  // Bearer with a token, or Basic with a token as the password and any user name.
  // Kind::unauthorized: none, or one that is not valid; Kind::forbidden: a token whose scope does
  // not reach so far.
  Result<Caller> check(const http::Request& request, Needs needs);

 private:
  Result<Caller> identify(const http::Request& request, Needs needs);
  Result<Caller> provider_with(std::string token);

  accounts::Accounts& accounts_;
  accounts::Authorizations& authorizations_;
  addons::Marketplace& marketplace_;
  RateBuckets& attempts_;
};

}  // namespace renga::api
