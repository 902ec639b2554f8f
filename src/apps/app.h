// App: a name, an owner, and what has been set on it. A value.
#pragma once

#include <optional>
#include <string>

#include "accounts/account.h"

namespace renga::apps {

struct App {
  Id<App> id;
  std::string name;
  Id<accounts::Account> owner;
  std::string stack;        // of the last build; the default before the first
  std::string build_stack;  // of the next build
  bool maintenance = false;
  std::optional<std::string> buildpack_provided_description;
  std::optional<std::int64_t> repo_size;  // bytes
  std::optional<std::int64_t> slug_size;  // bytes
  std::optional<Time> released_at;
  Time created_at;
  Time updated_at;
  bool operator==(const App&) const = default;
};

}  // namespace renga::apps
