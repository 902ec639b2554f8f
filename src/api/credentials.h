// Credentials: who makes a call, and what their token allows.
#pragma once

#include <string>

#include "accounts/accounts.h"
#include "accounts/authorizations.h"
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
  write_protected,  // of config vars, and what shows them: one-off dynos
  everything,       // the account and its tokens
};

struct Caller {
  accounts::Account account;
  accounts::Authorization authorization;
  std::string token;  // as it was sent; empty for a password
};

class Credentials {
 public:
  // `attempts`: bounds the guessing of passwords, by address.
  Credentials(accounts::Accounts& accounts, accounts::Authorizations& authorizations,
              RateBuckets& attempts)
      : accounts_(accounts), authorizations_(authorizations), attempts_(attempts) {}

  // Bearer with a token, or Basic with a token as the password and any user name.
  // Kind::unauthorized: none, or one that is not valid; Kind::forbidden: a token whose scope does
  // not reach so far.
  Result<Caller> check(const http::Request& request, Needs needs);

 private:
  Result<Caller> identify(const http::Request& request, Needs needs);

  accounts::Accounts& accounts_;
  accounts::Authorizations& authorizations_;
  RateBuckets& attempts_;
};

}  // namespace renga::api
