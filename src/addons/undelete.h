// Undelete: destroyed add-ons that come back with their data, from providers that keep it. Those
// with a data API do (docs/addons.md). Calls block on the store and on a provider; safe from any
// thread; none may be made inside a transaction.
#pragma once

#include <vector>

#include "addons/marketplace.h"

namespace renga::addons {

inline constexpr std::chrono::hours kept_for{7 * 24};

class Undelete {
 public:
  Undelete(store::Database& database, Clock& clock, Marketplace& marketplace)
      : database_(database), clock_(clock), marketplace_(marketplace) {}

  // Those that may be brought back, as far as the platform knows, the last destroyed first.
  std::vector<Addon> candidates();
  // Asks the provider for what it kept, under the same id and name, for an app that may be another
  // than it was of. It is attached to nothing then. Kind::invalid: it was not destroyed, or too
  // long ago, or the provider refuses; Kind::unavailable: no usable answer. It stays destroyed
  // then.
  Result<Addon> bring_back(const Addon& addon, const apps::App& app, const accounts::Account& user);

 private:
  Result<void> may_come_back(const Addon& addon, const apps::App& app);

  store::Database& database_;
  Clock& clock_;
  Marketplace& marketplace_;
};

}  // namespace renga::addons
