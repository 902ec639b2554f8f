#include "net/timer_heap.h"

#include <stdexcept>
#include <utility>

namespace renga::net {

namespace {

constexpr unsigned slot_bits = 24;  // 16 million timers at once, 2^40 uses of each slot
constexpr std::uint64_t slot_mask = (1U << slot_bits) - 1;

}  // namespace

std::uint64_t TimerHeap::add(TimePoint when, std::function<void()> work) {
  if (free_.empty()) {
    if (slots_.size() > slot_mask) throw std::length_error("More than 16 million timers at once.");
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const auto number = free_.back();
  free_.pop_back();
  auto& slot = slots_[number];
  slot.work = std::move(work);
  slot.used = true;
  heap_.push_back({when, ++added_, number});
  slot.position = heap_.size() - 1;
  sift_up(slot.position);
  return (slot.uses << slot_bits) | number;
}

void TimerHeap::cancel(std::uint64_t id) {
  const auto number = static_cast<std::size_t>(id & slot_mask);
  if (number >= slots_.size()) return;
  auto& slot = slots_[number];
  if (!slot.used || slot.uses != id >> slot_bits) return;
  // The work may own whatever called us: it dies last, when the heap is in order again.
  const auto dropped = std::move(slot.work);
  remove_at(slot.position);
}

std::optional<TimerHeap::TimePoint> TimerHeap::next() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().when;
}

std::function<void()> TimerHeap::take_due(TimePoint now) {
  if (heap_.empty() || heap_.front().when > now) return {};
  auto work = std::move(slots_[heap_.front().slot].work);
  remove_at(0);
  return work;
}

void TimerHeap::remove_at(std::size_t position) {
  const auto number = heap_[position].slot;
  auto& slot = slots_[number];
  slot.work = nullptr;
  slot.used = false;
  ++slot.uses;
  free_.push_back(number);

  const auto last = heap_.back();
  heap_.pop_back();
  if (position == heap_.size()) return;
  place(position, last);
  sift_up(position);
  sift_down(slots_[last.slot].position);
}

void TimerHeap::sift_up(std::size_t position) {
  const auto entry = heap_[position];
  while (position > 0) {
    const auto parent = (position - 1) / 2;
    if (!(entry < heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void TimerHeap::sift_down(std::size_t position) {
  const auto entry = heap_[position];
  while (true) {
    auto child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) ++child;
    if (!(heap_[child] < entry)) break;
    place(position, heap_[child]);
    position = child;
  }
  place(position, entry);
}

void TimerHeap::place(std::size_t position, const Entry& entry) {
  heap_[position] = entry;
  slots_[entry.slot].position = position;
}

}  // namespace renga::net
