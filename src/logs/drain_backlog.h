// DrainBacklog: the lines that one drain has yet to get. The app's log on disk is its buffer: while
// the drain keeps up, lines come from a tail through a small queue, as messages of its frames; when
// that is full, they are read from the log again. What the log has already let go of, or what is
// more than `most_behind` lines back, is dropped, counted, and said to the drain itself in its next
// frame (L10).
//
// next(), taken() and refused() belong to one thread; the tail fills the queue from the store's.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/locked.h"
#include "logs/drain_frames.h"
#include "logs/log_store.h"

namespace renga::logs {

struct DrainLimits {
  std::size_t queue_lines = 1'024;  // in memory, as Logplex has them
  std::size_t queue_bytes = 1u << 20;
  std::size_t frame_bytes = 100u << 10;
  std::uint64_t most_behind = 100'000;  // lines
};

class DrainBacklog {
 public:
  // Whose lines, in which form.
  struct Subject {
    Id<apps::App> app;
    DrainKind kind;
    std::string token;
  };
  // Lines after `place` are to be delivered. `arrived` is called, from the store's thread, when
  // there are lines again after next() had none; it must not block.
  DrainBacklog(LogStore& store, Subject subject, std::uint64_t place, DrainLimits limits,
               std::function<void()> arrived);

  // The next frame, as large as the limits allow; nothing when there is nothing to send. `now` is
  // for an L10.
  std::optional<DrainFrame> next(Time now);
  // It was delivered.
  void taken(const DrainFrame& frame) { place_ = frame.last_place; }
  // It will never be delivered: its lines are dropped, and so is what its L10 said.
  void refused(const DrainFrame& frame, Time since);

  // Of the last line that was delivered or dropped.
  std::uint64_t place() const { return place_; }

 private:
  struct Queue {
    DrainMessages messages;
    bool overflowed = true;  // the log has more than the queue
    bool missed = false;     // next() had none: who waits is told of the next one
  };
  void arrive(std::span<const PlacedView> lines);
  void refill(Time now);
  void drop(std::int64_t count, Time since);

  LogStore& store_;
  const Subject subject_;
  const DrainLimits limits_;
  const std::function<void()> arrived_;
  const std::string id_;  // begins those of its frames, which end with their number
  std::uint64_t frames_ = 0;
  Locked<Queue> queue_;
  DrainMessages ready_;  // taken from the queue or the log, not in a frame yet
  std::uint64_t place_;
  std::uint64_t cursor_;  // of the last line that was put into a frame
  std::int64_t dropped_ = 0;
  Time dropped_since_;
  std::unique_ptr<Tail> tail_;  // last: it calls
};

}  // namespace renga::logs
