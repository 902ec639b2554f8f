#include "logs/drain_backlog.h"

#include <fmt/format.h>

#include "base/random.h"
#include "base/text.h"

namespace renga::logs {
namespace {
constexpr std::size_t lines_at_a_time = 1'000;
}

DrainBacklog::DrainBacklog(LogStore& store, Subject subject, std::uint64_t place,
                           DrainLimits limits, std::function<void()> arrived)
    : store_(store),
      subject_(std::move(subject)),
      limits_(limits),
      arrived_(std::move(arrived)),
      id_(text::upper(random_hex(8))),
      place_(place),
      cursor_(place),
      tail_(store.tail(
          subject_.app, {}, [this](std::span<const PlacedView> lines) { arrive(lines); },
          Pace::in_time)) {}

void DrainBacklog::arrive(std::span<const PlacedView> lines) {
  {
    auto queue = queue_.lock();
    auto& messages = queue->messages;
    for (const auto& line : lines) {
      if (queue->overflowed) break;  // who reads the log finds it there
      if (messages.size() >= limits_.queue_lines ||
          messages.bytes() + line.line.message.size() > limits_.queue_bytes)
        queue->overflowed = true;
      else
        messages.add(subject_.kind, subject_.token, line.place, line.line);
    }
    if (!std::exchange(queue->missed, false)) return;
  }
  arrived_();
}

void DrainBacklog::drop(std::int64_t count, Time since) {
  if (count <= 0) return;
  if (dropped_ == 0) dropped_since_ = since;
  dropped_ += count;
}

void DrainBacklog::refused(const DrainFrame& frame, Time since) {
  place_ = frame.last_place;
  drop(frame.dropped + frame.messages - (frame.dropped > 0 ? 1 : 0), since);
}

// Fills `ready_`, from the queue while that has every line, else from the log.
void DrainBacklog::refill(Time now) {
  for (;;) {
    {
      auto queue = queue_.lock();
      ready_ = std::exchange(queue->messages, {});
      while (!ready_.empty() && ready_.front().place <= cursor_) ready_.pop_front();
      if (!ready_.empty()) return;
      queue->missed = !queue->overflowed;
      if (queue->missed) return;
      // From here on the tail collects again: what the log had is left out of it by its place.
      queue->overflowed = false;
    }
    const auto newest = store_.newest(subject_.app);
    if (newest > cursor_ && newest - cursor_ > limits_.most_behind) {
      const auto skipped = newest - limits_.most_behind - cursor_;
      drop(static_cast<std::int64_t>(skipped), now);
      cursor_ += skipped;
      place_ = cursor_;
    }
    const auto lines = store_.after(subject_.app, {}, cursor_, lines_at_a_time);
    for (const auto& line : lines) ready_.add(subject_.kind, subject_.token, line.place, line.line);
    if (lines.size() == lines_at_a_time) {
      auto queue = queue_.lock();
      queue->overflowed = true;
      queue->messages = {};
    }
    if (!ready_.empty()) return;
  }
}

std::optional<DrainFrame> DrainBacklog::next(Time now) {
  if (ready_.empty()) refill(now);
  if (ready_.empty()) return std::nullopt;

  DrainFrame frame;
  frame.id = fmt::format("{}{:016X}", id_, ++frames_);
  std::string lines;
  for (; !ready_.empty() && lines.size() < limits_.frame_bytes; ready_.pop_front()) {
    const auto& [place, at, end] = ready_.front();
    // Places that the log no longer has.
    if (place > cursor_ + 1) drop(static_cast<std::int64_t>(place - cursor_ - 1), at);
    lines += ready_.front_bytes();
    cursor_ = place;
    ++frame.messages;
  }
  frame.last_place = cursor_;
  if (dropped_ > 0) {
    TimeText time;
    append_message(frame.body, subject_.kind, subject_.token,
                   overflow_line(now, dropped_, dropped_since_), time);
    ++frame.messages;
    frame.dropped = std::exchange(dropped_, 0);
    frame.body += lines;
  } else {
    frame.body = std::move(lines);
  }
  return frame;
}

}  // namespace renga::logs
