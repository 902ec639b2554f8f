// TimerHeap: the loop's timers, in a heap that knows where each timer stands, so that adding and
// cancelling cost O(log n) and a cancelled timer leaves nothing behind. Private to net/.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace renga::net {

class TimerHeap {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // The id is never 0 and never handed out twice: a slot's number and how often it was used.
  std::uint64_t add(TimePoint when, std::function<void()> work);
  void cancel(std::uint64_t id);

  std::optional<TimePoint> next() const;
  std::size_t size() const { return heap_.size(); }
  // The work of the earliest timer due at `now`, which is then gone; an empty function when none
  // is.
  std::function<void()> take_due(TimePoint now);

 private:
  struct Slot {
    std::function<void()> work;
    std::uint64_t uses = 1;
    std::size_t position = 0;  // in heap_, while it is in use
    bool used = false;
  };
  struct Entry {
    TimePoint when;
    std::uint64_t order;  // of adding, so that equal times run in the order they were set
    std::uint32_t slot;
    bool operator<(const Entry& other) const {
      return when != other.when ? when < other.when : order < other.order;
    }
  };

  void remove_at(std::size_t position);
  void sift_up(std::size_t position);
  void sift_down(std::size_t position);
  void place(std::size_t position, const Entry& entry);

  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::uint64_t added_ = 0;
};

}  // namespace renga::net
