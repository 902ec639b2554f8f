#include "git/carried_pushes.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/report.h"

namespace renga::git {
namespace {

constexpr std::chrono::milliseconds between_looks{200};

}  // namespace

CarriedPushes::CarriedPushes(builds::Builds& builds, PushRecords& records, const Branches& branches,
                             Turns& turns)
    : builds_(builds), records_(records), branches_(branches), turns_(turns) {
  auto left = records_.all();
  for (const auto& push : left) turns_.try_take(push.app);
  if (!left.empty())
    thread_ = std::thread([this, pushes = std::move(left)]() mutable { run(std::move(pushes)); });
}

CarriedPushes::~CarriedPushes() {
  {
    const std::lock_guard lock(waiting_);
    stopping_ = true;
  }
  stop_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void CarriedPushes::run(std::vector<PushRecord> pushes) {
  while (!pushes.empty() && !stopping_) {
    std::erase_if(pushes, [&](const PushRecord& push) {
      // A job of its own: what fails for one push, and stays undone, does not keep the others.
      try {
        if (carry(push) == Outcome::under_way) return false;
      } catch (const std::exception& fault) {
        report("git", fmt::format("a push from before was not carried through: {}", fault.what()));
      }
      turns_.give_back(push.app);
      return true;
    });
    std::unique_lock lock(waiting_);
    stop_.wait_for(lock, between_looks, [&] { return stopping_.load(); });
  }
}

CarriedPushes::Outcome CarriedPushes::carry(const PushRecord& push) {
  const auto builds = builds_.all(push.app);  // newest first
  const auto build = std::ranges::find_if(builds, [&](const builds::Build& each) {
    return each.source_version == push.commit && each.created_at >= push.created_at;
  });
  if (build != builds.end()) {
    if (build->status == builds::BuildStatus::pending) return Outcome::under_way;
    // Where git has moved the branch itself, just before the end, there is nothing to do.
    if (build->status == builds::BuildStatus::succeeded)
      branches_.move(push.app, push.moves, push.commit);
  }
  // Otherwise control had not accepted it: git has refused the push, and nothing came of it.
  records_.end(push.id);
  return Outcome::through;
}

}  // namespace renga::git
