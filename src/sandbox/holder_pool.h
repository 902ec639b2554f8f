// HolderPool: holders that were made ahead, so that a start need not wait for the kernel. Some are
// anybody's; some are settled for the apps that were started last, on the stack that they had, with
// the slug that they had. It is bounded, and refilled one small step at a time by whoever has
// nothing better to do.
//
// Belongs to the spawner's only thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/holder.h"

namespace renga::sandbox {

// Where a sandbox lives: the range of ids and the stack that its holder is settled for.
struct Home {
  std::uint32_t uid_base = 0;
  std::string stack;
  std::string stack_state;  // stack_state() when it was settled: a changed stack needs a new one
  bool operator==(const Home&) const = default;
};

// A slug, and what tells it from another that comes to its place. Empty: none.
struct AppDirectory {
  std::string path, state;
  bool operator==(const AppDirectory&) const = default;
};

// A holder with all that is made with it.
struct Held {
  std::string place;  // names its control groups and, until it is claimed, its run directory
  std::string address;
  Holder holder;
  std::uint64_t started = 0;  // its process: os::start_time()
  std::optional<Home> home;   // none: not settled
  AppDirectory app;           // whose overlay is ready
  os::Fd overlay;             // of it, detached
};

class HolderPool {
 public:
  struct Hooks {
    std::function<Held()> make;
    std::function<void(Held&, const Home&)> settle;
    std::function<void(Held&, const AppDirectory&)> prepare;  // its overlay
    std::function<void(Held&)> discard;  // ends it and takes away what was made with it
  };
  // At most `size` of them; 0: none, ever.
  HolderPool(std::size_t size, Hooks hooks) : size_(size), hooks_(std::move(hooks)) {}

  // One that is settled there, if possible with this app's overlay, else one that is anybody's,
  // else none. Notes both for refill().
  std::optional<Held> take(const Home& home, const AppDirectory& app);
  // One step of making or settling; false when there is nothing to do. A refusal of the kernel is
  // thrown, and the next steps are left out for a while by the caller.
  bool refill();
  bool wants_refill();
  // Another start of what was started last would find one ready, and one of anybody else, too.
  bool is_well_stocked() const;
  void dismiss();
  std::size_t count() const { return held_.size(); }

 private:
  std::size_t unsettled() const;
  std::size_t settled(const Home& home) const;
  struct Recent {
    Home home;
    AppDirectory app;
  };

  const Home* home_that_wants() const;
  std::vector<Held>::iterator stranger();
  // Settled and without the overlay that its home had last; else the end. `app`: that one.
  std::vector<Held>::iterator unprepared(Recent*& of);

  std::size_t size_;
  Hooks hooks_;
  std::vector<Held> held_;
  std::vector<Recent> recent_;  // the last first
};

}  // namespace renga::sandbox
