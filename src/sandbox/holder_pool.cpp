#include "sandbox/holder_pool.h"

#include <algorithm>
#include <system_error>

namespace renga::sandbox {
namespace {

// Of a pool of twelve: four are anybody's, and the four homes that were used last have two each.
constexpr std::size_t most_homes = 4;
std::size_t share(std::size_t size) { return (size + 2) / 3; }
std::size_t share_of_home(std::size_t size) { return std::max<std::size_t>(1, size / 6); }

}  // namespace

std::size_t HolderPool::unsettled() const {
  return static_cast<std::size_t>(std::ranges::count_if(held_, [](auto& h) { return !h.home; }));
}

std::size_t HolderPool::settled(const Home& home) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(held_, [&](auto& h) { return h.home == home; }));
}

std::optional<Held> HolderPool::take(const Home& home, const AppDirectory& app) {
  if (size_ == 0) return std::nullopt;
  Recent now{home, app};
  std::erase_if(recent_, [&](const Recent& known) {
    if (known.home.uid_base != home.uid_base || known.home.stack != home.stack) return false;
    // A build or a command without a slug comes and goes: what is ready for the app stays.
    if (app.path.empty()) now.app = known.app;
    return true;
  });
  recent_.insert(recent_.begin(), std::move(now));
  if (recent_.size() > most_homes) recent_.pop_back();

  auto found =
      std::ranges::find_if(held_, [&](auto& held) { return held.home == home && held.app == app; });
  if (found == held_.end())
    found = std::ranges::find_if(held_, [&](auto& held) { return held.home == home; });
  // The oldest: its process has had the most time to get ready.
  if (found == held_.end())
    found = std::ranges::find_if(held_, [](auto& held) { return !held.home; });
  if (found == held_.end()) return std::nullopt;
  auto taken = std::move(*found);
  held_.erase(found);
  return taken;
}

const Home* HolderPool::home_that_wants() const {
  for (const auto& recent : recent_)
    if (settled(recent.home) < share_of_home(size_)) return &recent.home;
  return nullptr;
}

// One that is settled for a home that is not among the recent ones (any more), or for a slug that
// its home has left.
std::vector<Held>::iterator HolderPool::stranger() {
  return std::ranges::find_if(held_, [&](const Held& held) {
    return held.home && std::ranges::none_of(recent_, [&](const Recent& recent) {
             return recent.home == *held.home && (held.app.path.empty() || held.app == recent.app);
           });
  });
}

std::vector<Held>::iterator HolderPool::unprepared(Recent*& of) {
  for (auto& recent : recent_) {
    if (recent.app.path.empty()) continue;
    const auto found = std::ranges::find_if(
        held_, [&](const Held& held) { return held.home == recent.home && held.app.path.empty(); });
    of = &recent;
    if (found != held_.end()) return found;
  }
  return held_.end();
}

bool HolderPool::is_well_stocked() const {
  return unsettled() > 0 && !recent_.empty() && std::ranges::any_of(held_, [&](const Held& held) {
           return held.home == recent_.front().home && held.app == recent_.front().app;
         });
}

bool HolderPool::wants_refill() {
  if (size_ == 0) return false;
  Recent* of = nullptr;
  return unsettled() < share(size_) || home_that_wants() != nullptr || stranger() != held_.end() ||
         unprepared(of) != held_.end();
}

bool HolderPool::refill() {
  if (size_ == 0) return false;
  if (const auto found = stranger(); found != held_.end()) {
    auto gone = std::move(*found);
    held_.erase(found);
    hooks_.discard(gone);
    return true;
  }
  Recent* of = nullptr;
  if (const auto found = unprepared(of); found != held_.end()) {
    try {
      hooks_.prepare(*found, of->app);
    } catch (const std::system_error&) {
      // Its slug is gone: nobody will start it.
      of->app = {};
      auto gone = std::move(*found);
      held_.erase(found);
      hooks_.discard(gone);
    }
    return true;
  }
  const auto* home = home_that_wants();
  // Never the last one that is anybody's: the next start may be of another app.
  if (home != nullptr && unsettled() > 1) {
    const auto bare = std::ranges::find_if(held_, [](auto& held) { return !held.home; });
    auto settling = std::move(*bare);
    held_.erase(bare);
    try {
      hooks_.settle(settling, *home);
    } catch (...) {
      hooks_.discard(settling);
      throw;
    }
    settling.home = *home;
    held_.push_back(std::move(settling));
    return true;
  }
  if (unsettled() < share(size_) || home != nullptr) {
    held_.push_back(hooks_.make());
    return true;
  }
  return false;
}

void HolderPool::dismiss() {
  for (auto& held : held_) hooks_.discard(held);
  held_.clear();
  recent_.clear();
}

}  // namespace renga::sandbox
