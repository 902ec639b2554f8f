// PushRecords: the pushes that git has not ended, in the store, so that the next control carries
// through what this one could not. Private to this room. Safe from any thread.
#pragma once

#include <string>
#include <vector>

#include "apps/app.h"
#include "git/branches.h"
#include "store/database.h"

namespace renga::git {

struct PushRecord {
  Id<PushRecord> id;
  Id<apps::App> app;
  std::string commit;
  std::vector<Move> moves;
  Time created_at;
};

class PushRecords {
 public:
  PushRecords(store::Database& database, Clock& clock) : database_(database), clock_(clock) {}

  // Before its build is asked for.
  Id<PushRecord> begin(const Id<apps::App>& app, const std::string& commit,
                       const std::vector<Move>& moves);
  void end(const Id<PushRecord>& id);
  std::vector<PushRecord> all();  // oldest first

 private:
  store::Database& database_;
  Clock& clock_;
};

}  // namespace renga::git
