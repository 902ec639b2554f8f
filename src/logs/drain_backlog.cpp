#include "logs/drain_backlog.h"

#include "base/random.h"
#include "base/text.h"

namespace renga::logs {
namespace {
constexpr std::size_t lines_at_a_time = 1'000;
}

DrainBacklog::DrainBacklog(LogStore& store, Id<apps::App> app, std::uint64_t place,
                           DrainLimits limits, std::function<void()> arrived)
    : store_(store),
      app_(std::move(app)),
      limits_(limits),
      arrived_(std::move(arrived)),
      place_(place),
      cursor_(place),
      tail_(store.tail(app_, {}, [this](const Placed& line) {
        {
          auto queue = queue_.lock();
          if (queue->overflowed) return;  // who reads the log finds it there
          if (queue->lines.size() >= limits_.queue_lines ||
              queue->bytes + line.line.message.size() > limits_.queue_bytes) {
            queue->overflowed = true;
            if (!queue->lines.empty()) return;
          } else {
            queue->bytes += line.line.message.size();
            queue->lines.push_back(line);
            if (queue->lines.size() > 1) return;  // was said already
          }
        }
        arrived_();
      })) {}

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
  {
    auto queue = queue_.lock();
    if (!queue->overflowed || !queue->lines.empty()) {
      ready_.swap(queue->lines);
      queue->lines.clear();
      queue->bytes = 0;
      std::erase_if(ready_, [this](const Placed& line) { return line.place <= cursor_; });
      if (!ready_.empty() || !queue->overflowed) return;
    }
    // From here on the tail collects again: what the log had is left out of it by its place.
    queue->overflowed = false;
  }
  const auto newest = store_.newest(app_);
  if (newest > cursor_ && newest - cursor_ > limits_.most_behind) {
    const auto skipped = newest - limits_.most_behind - cursor_;
    drop(static_cast<std::int64_t>(skipped), now);
    cursor_ += skipped;
    place_ = cursor_;
  }
  for (auto& line : store_.after(app_, {}, cursor_, lines_at_a_time))
    ready_.push_back(std::move(line));
  if (ready_.size() < lines_at_a_time) return;
  auto queue = queue_.lock();
  queue->overflowed = true;
  queue->lines.clear();
  queue->bytes = 0;
}

std::optional<DrainFrame> DrainBacklog::next(DrainKind kind, std::string_view token, Time now) {
  if (ready_.empty()) refill(now);
  if (ready_.empty()) return std::nullopt;

  DrainFrame frame;
  frame.id = text::upper(random_hex(16));
  std::string lines;
  while (!ready_.empty() && lines.size() < limits_.frame_bytes) {
    const auto& line = ready_.front();
    // Places that the log no longer has.
    if (line.place > cursor_ + 1)
      drop(static_cast<std::int64_t>(line.place - cursor_ - 1), line.line.at);
    append_message(lines, kind, token, line.line);
    cursor_ = line.place;
    ++frame.messages;
    ready_.pop_front();
  }
  frame.last_place = cursor_;
  if (dropped_ > 0) {
    append_message(frame.body, kind, token, overflow_line(now, dropped_, dropped_since_));
    ++frame.messages;
    frame.dropped = std::exchange(dropped_, 0);
  }
  frame.body += lines;
  return frame;
}

}  // namespace renga::logs
