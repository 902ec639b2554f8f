// A store with two accounts and an administrator in it, for tests of this room.
#pragma once

#include <gtest/gtest.h>

#include "accounts/accounts.h"
#include "accounts/migrations.h"
#include "apps/apps.h"
#include "apps/migrations.h"
#include "base/testing/fake_clock.h"

namespace renga::apps {

class House : public testing::Test {
 protected:
  House() {
    database.migrate(accounts::migrations());
    database.migrate(migrations());
    ada = people.create("ada@example.com", "Ada", false).value();
    eve = people.create("eve@example.com", "Eve", false).value();
    root = people.create("root@example.com", "Root", true).value();
  }
  App make(std::string name) { return apps.create(ada, {std::move(name), ""}).value(); }

  store::Database database{":memory:"};
  FakeClock clock;
  accounts::Accounts people{database, clock};
  Apps apps{database, clock, {"debian-13", "host"}};
  accounts::Account ada, eve, root;
};

}  // namespace renga::apps
