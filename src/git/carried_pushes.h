// CarriedPushes: what pushes of an earlier control left to be done. Their builds are carried on by
// Builds; when one succeeds, the branch is moved here as git would have done. An app's turn is held
// until its push is through, so that the next push finds the branch where the app is. Private to
// this room. Has a thread while there is something to carry.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "builds/builds.h"
#include "git/branches.h"
#include "git/push_records.h"
#include "git/turns.h"

namespace renga::git {

class CarriedPushes {
 public:
  // Takes the turns. After Builds::resume(), before any push is served.
  CarriedPushes(builds::Builds& builds, PushRecords& records, const Branches& branches,
                Turns& turns);
  // What is not through yet is left to the next one.
  ~CarriedPushes();
  CarriedPushes(const CarriedPushes&) = delete;
  CarriedPushes& operator=(const CarriedPushes&) = delete;

 private:
  enum class Outcome { through, under_way };
  Outcome carry(const PushRecord& push);
  void run(std::vector<PushRecord> pushes);

  builds::Builds& builds_;
  PushRecords& records_;
  const Branches& branches_;
  Turns& turns_;
  std::atomic<bool> stopping_ = false;
  std::mutex waiting_;
  std::condition_variable stop_;
  std::thread thread_;
};

}  // namespace renga::git
