// LogDrains: where providers have the logs of their add-ons' apps delivered to. A service whose
// manifest requires `syslog_drain` may name a URL when it provisions, and add, move and remove
// drains later; they are on the add-on's own app, and go with the add-on. Blocks on the store; safe
// from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "addons/books.h"
#include "addons/catalog.h"
#include "logs/drains.h"

namespace renga::addons {

class LogDrains {
 public:
  static constexpr std::size_t most = 5;  // of one add-on

  LogDrains(store::Database& database, Books& books, Catalog& catalog, logs::Drains& drains)
      : database_(database), books_(books), catalog_(catalog), drains_(drains) {}

  std::vector<logs::Drain> all(const Addon& addon) { return drains_.of_addon(addon.id.value); }
  Result<logs::Drain> find(const Addon& addon, std::string_view identity) {
    return logs::choose_drain(all(addon), identity);
  }
  // Kind::forbidden: the manifest does not ask for it; Kind::invalid: no URL for drains, the add-on
  // has this one, too many, or it is about to go.
  Result<logs::Drain> add(const Addon& addon, std::string_view url);
  Result<logs::Drain> move(const Addon& addon, std::string_view identity, std::string_view url);
  Result<logs::Drain> remove(const Addon& addon, std::string_view identity);

  // Of the drain that provisioning makes: told to the provider before there is one, and the same
  // each time it is asked.
  static std::string first_token(const Addon& addon) { return "d." + addon.id.value; }

  // For transactions of the caller's, who calls follow() behind their commit.
  Result<void> put_first(const Addon& addon, std::string_view url);
  void remove_all(const Addon& addon) { drains_.remove_all_of_addon(addon.id.value); }
  void follow() { drains_.follow(); }

 private:
  Result<void> may_have(const Addon& addon);

  store::Database& database_;
  Books& books_;
  Catalog& catalog_;
  logs::Drains& drains_;
};

}  // namespace renga::addons
