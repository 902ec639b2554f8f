// Account: a person (or a robot) who owns apps. A value.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/id.h"

namespace renga::accounts {

struct Account {
  Id<Account> id;
  std::string email;
  std::string name;
  bool admin = false;
  Time created_at;
  Time updated_at;
  bool operator==(const Account&) const = default;
};

}  // namespace renga::accounts
