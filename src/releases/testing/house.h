// A store with an account and two apps, and slugs in a directory of their own, for tests.
#pragma once

#include <gtest/gtest.h>

#include "accounts/accounts.h"
#include "accounts/migrations.h"
#include "apps/apps.h"
#include "apps/migrations.h"
#include "base/testing/fake_clock.h"
#include "releases/migrations.h"
#include "releases/releases.h"
#include "releases/slugs.h"
#include "releases/testing/tarball.h"

namespace renga::releases {

class House : public testing::Test {
 protected:
  House() {
    database.migrate(accounts::migrations());
    database.migrate(apps::migrations());
    database.migrate(migrations());
    ada = people.create("ada@example.com", "Ada", false).value();
    sushi = apps.create(ada, {"sushi", ""}).value();
    maki = apps.create(ada, {"maki", ""}).value();
  }

  NewSlug wanted(const apps::App& app, ProcessTypes types = {{"web", "bin/web"}}) {
    return {.app = app.id,
            .stack = "host",
            .commit = "e6442b7c",
            .commit_description = "Say hello",
            .buildpack_provided_description = "Python",
            .process_types = std::move(types)};
  }
  // What a build leaves: the same bytes for the same content.
  std::filesystem::path build(const std::string& content) {
    const auto directory = scratch.path / ("build-" + std::to_string(++builds));
    write_file(directory / "bin/web", content);
    std::filesystem::last_write_time(directory / "bin/web",
                                     std::filesystem::file_time_type(std::chrono::seconds(0)));
    return directory;
  }

  Scratch scratch;
  int builds = 0;
  store::Database database{":memory:"};
  FakeClock clock;
  accounts::Accounts people{database, clock};
  apps::Apps apps{database, clock, {"host"}};
  Slugs slugs{database, clock, scratch.path / "slugs"};
  accounts::Account ada;
  apps::App sushi, maki;
};

}  // namespace renga::releases
