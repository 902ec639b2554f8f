// SetupParents: setups that are asked for by the postdeploy script of another one, so that a script
// which sets its own app up again, by itself or by way of others, comes to an end. Safe from any
// thread. Private to this room.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "apps/apps.h"
#include "releases/releases.h"
#include "store/database.h"

namespace renga::setups {

class SetupParents {
 public:
  static constexpr int most_generations = 4;

  SetupParents(store::Database& database, apps::Apps& apps, releases::Releases& releases)
      : database_(database), apps_(apps), releases_(releases) {}

  // The setup whose script makes this call: one that runs its script now, and that has the call's
  // token from its config or in the script. Nothing when a person does.
  std::optional<std::string> of_call(const Id<accounts::Account>& user, std::string_view token);
  // Kind::invalid: an ancestor has the same app.json, or there are too many of them.
  Result<void> check(const std::optional<std::string>& parent, const std::string& manifest);

 private:
  store::Database& database_;
  apps::Apps& apps_;
  releases::Releases& releases_;
};

}  // namespace renga::setups
