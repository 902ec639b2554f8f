// Listing: a part of the apps that an account may see, in an order in which no two share a place;
// so that a page of many is read without all the others.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "accounts/account.h"
#include "apps/app.h"

namespace renga::store {
class Database;
}

namespace renga::apps {

struct Listing {
  enum class By { name, id };
  By by = By::name;
  std::optional<std::string> least;     // itself included
  std::optional<std::string> greatest;  // itself included
  bool descending = false;
  std::size_t most = 1;
};

// Blocks on the store; safe from any thread.
std::vector<App> visible_to(store::Database& database, const accounts::Account& account,
                            const Listing& listing);

}  // namespace renga::apps
