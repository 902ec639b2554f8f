// DeclaredJobs: those of an app's jobs that the app.json of what it runs asks for. Rows beside the
// jobs themselves; every call blocks on the store and is safe from any thread.
#pragma once

#include <string>
#include <vector>

#include "scheduler/jobs.h"
#include "scheduler/wishes.h"

namespace renga::scheduler {

class DeclaredJobs {
 public:
  DeclaredJobs(store::Database& database, Jobs& jobs) : database_(database), jobs_(jobs) {}

  // Makes the app's declared jobs these, which read_wishes() took; jobs that people added are left
  // alone. One that is as it was stays, with its history and its next time; one that was changed by
  // hand is made anew. The output streams' ids of those that are gone. Kind::invalid, and nothing
  // changed: a dyno size that is none, a schedule that is never due, too many jobs.
  Result<std::vector<std::string>> declare(const Id<apps::App>& app,
                                           const std::vector<Wish>& wishes);

  // Takes the jobs away that people added. The output streams' ids of them.
  std::vector<std::string> remove_others(const Id<apps::App>& app);

 private:
  bool is_declared(const Job& job);
  void remove(const Job& job, std::vector<std::string>& outputs);

  store::Database& database_;
  Jobs& jobs_;
};

}  // namespace renga::scheduler
