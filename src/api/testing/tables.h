// Tables: a store, in memory or in a file, with the tables of every room that the API asks.
#pragma once

#include "accounts/migrations.h"
#include "addons/migrations.h"
#include "apps/migrations.h"
#include "builds/migrations.h"
#include "dynos/migrations.h"
#include "logs/migrations.h"
#include "pipelines/migrations.h"
#include "releases/migrations.h"
#include "scheduler/migrations.h"
#include "setups/migrations.h"
#include "store/database.h"
#include "webhooks/migrations.h"

namespace renga::api {

struct Tables : store::Database {
  explicit Tables(const std::string& path = ":memory:") : store::Database(path) {
    migrate(accounts::migrations());
    migrate(apps::migrations());
    migrate(logs::migrations());
    migrate(releases::migrations());
    migrate(addons::migrations());
    migrate(builds::migrations());
    migrate(dynos::migrations());
    migrate(pipelines::migrations());
    migrate(setups::migrations());
    migrate(scheduler::migrations());
    migrate(webhooks::migrations());
  }
};

}  // namespace renga::api
