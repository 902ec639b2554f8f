// OpenFiles: the files that the apps which wrote last are writing to, kept open between their
// lines, at most so many; those of apps that went quiet are closed. Belongs to whoever writes.
// Private to this room.
#pragma once

#include <chrono>
#include <list>
#include <unordered_map>

#include "apps/app.h"
#include "logs/segments.h"

namespace renga::logs {

class OpenFiles {
 public:
  using Clock = std::chrono::steady_clock;
  explicit OpenFiles(std::size_t most) : most_(most) {}

  // Valid until the next call.
  OpenSegment& of(const Id<apps::App>& app) {
    const auto known = places_.find(app);
    if (known != places_.end()) {
      files_.splice(files_.begin(), files_, known->second);
    } else {
      if (files_.size() >= most_) close(Id<apps::App>(files_.back().app));
      files_.push_front({.app = app});
      places_[app] = files_.begin();
    }
    files_.front().used = Clock::now();
    return files_.front().file;
  }

  void close(const Id<apps::App>& app) {
    const auto known = places_.find(app);
    if (known == places_.end()) return;
    files_.erase(known->second);
    places_.erase(known);
  }

  void close_unused_since(Clock::time_point time) {
    while (!files_.empty() && files_.back().used < time) close(Id<apps::App>(files_.back().app));
  }

 private:
  struct Kept {
    Id<apps::App> app;
    OpenSegment file = {};
    Clock::time_point used = {};
  };
  const std::size_t most_;
  std::list<Kept> files_;  // used last first
  std::unordered_map<Id<apps::App>, std::list<Kept>::iterator> places_;
};

}  // namespace renga::logs
