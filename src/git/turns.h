// Turns: one push of an app at a time goes from its build to its branch, since each of them builds
// on where the branch stands. Private to this room. Safe from any thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <set>
#include <string>

#include "apps/app.h"
#include "base/locked.h"

namespace renga::git {

class Turns {
 public:
  // Takes the app's turn when it is free.
  bool try_take(const Id<apps::App>& app) { return taken_.lock()->insert(app.value).second; }
  // Waits for it; false when `stopped` says so, which is asked a few times a second.
  bool take(const Id<apps::App>& app, const std::function<bool()>& stopped) {
    auto taken = taken_.lock();
    while (!stopped()) {
      if (taken->insert(app.value).second) return true;
      taken.wait_for(given_back_, std::chrono::milliseconds(200),
                     [&] { return !taken->contains(app.value); });
    }
    return false;
  }
  void give_back(const Id<apps::App>& app) {
    taken_.lock()->erase(app.value);
    given_back_.notify_all();
  }

 private:
  Locked<std::set<std::string>> taken_;
  std::condition_variable given_back_;
};

}  // namespace renga::git
