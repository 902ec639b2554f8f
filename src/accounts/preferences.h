// Preferences: what a person set in a dashboard. The names are a fixed list. Every call blocks on
// the store and is safe from any thread.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "accounts/account.h"
#include "base/result.h"
#include "store/database.h"

namespace renga::accounts {

struct PreferenceName {
  std::string_view name;
  bool is_switch;  // "true" or "false"; else any short text
};
// In the order in which they are shown.
std::span<const PreferenceName> preference_names();

class Preferences {
 public:
  explicit Preferences(store::Database& database) : database_(database) {}

  // Those that were set.
  std::map<std::string, std::string> all(const Id<Account>& account);
  // Nothing takes one away again. Kind::invalid: an unknown name, or a value that is none; then
  // nothing is changed.
  Result<void> set(const Id<Account>& account,
                   const std::map<std::string, std::optional<std::string>>& changes);

 private:
  store::Database& database_;
};

}  // namespace renga::accounts
