// The rooms about people: what they sign in with, what they may use, what they give away. These
// keep nothing between calls, so that each call makes its own.
#pragma once

#include "accounts/keys.h"
#include "accounts/password_resets.h"
#include "accounts/people.h"
#include "accounts/preferences.h"
#include "accounts/second_factors.h"
#include "api/api.h"
#include "apps/permissions.h"
#include "apps/transfers.h"

namespace renga::api {

struct PeopleRooms {
  explicit PeopleRooms(const Services& services)
      : people(services.database, services.clock, services.accounts),
        keys(services.database, services.clock),
        preferences(services.database),
        password_resets(services.database, services.clock, services.accounts),
        second_factors(services.database, services.clock, services.box),
        grants(services.database, services.clock),
        transfers(services.database, services.clock, services.apps) {}

  accounts::People people;
  accounts::Keys keys;
  accounts::Preferences preferences;
  accounts::PasswordResets password_resets;
  accounts::SecondFactors second_factors;
  apps::Grants grants;
  apps::Transfers transfers;
};

}  // namespace renga::api
