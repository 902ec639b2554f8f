// LogRing: the memory in which renga-init keeps a dyno's frames (log_frames.h) until control says
// that their lines are on the disk. Both have it mapped, so that a line costs neither of them a
// system call, and neither one's death costs a line: what was read and not released is read again
// by the next control. One writes, one reads; an empty ring begins anew at its first page, so that
// a dyno that is read in time needs no more than that.
//
// Control looks now and then. Until it has looked again, the writer rings (a byte over the log
// socket) once: when control watches for each line, and when a quarter is full.
//
// Plain memory operations only: renga-init includes it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace renga::sandbox {

struct LogRing {
  static constexpr std::uint32_t capacity = 1U << 20;
  static constexpr std::uint32_t to_ring_at = capacity / 4;

  // Two places in one word, so that both change at once: up to where it was released, and up to
  // where it is filled. Places only grow, and wrap around.
  struct Span {
    std::uint32_t released = 0, filled = 0;
    std::uint32_t size() const { return filled - released; }
  };
  static constexpr std::uint64_t packed(Span span) {
    return std::uint64_t{span.released} << 32 | span.filled;
  }
  static constexpr Span unpacked(std::uint64_t word) {
    return {static_cast<std::uint32_t>(word >> 32), static_cast<std::uint32_t>(word)};
  }
  Span span() const { return unpacked(word.load()); }

  std::atomic<std::uint64_t> word;
  std::atomic<std::uint32_t> watched;  // control's: it wants to hear of each line
  std::atomic<std::uint32_t> rung;     // the writer's, until control looks
  alignas(4096) char bytes[capacity];
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

// Belongs to one thread; the only one that writes.
class LogRingWriter {
 public:
  explicit LogRingWriter(LogRing& ring) : ring_(ring), at_(ring.span().filled) {}

  bool empty() const { return ring_.span().released == at_; }
  std::uint32_t room() const { return LogRing::capacity - (at_ - ring_.span().released); }
  // There must be room. Not read before publish(), which is called behind whole frames only.
  void put(const char* bytes, std::size_t count) {
    begin_anew_when_empty();
    const auto offset = at_ % LogRing::capacity;
    const auto first = std::min<std::size_t>(count, LogRing::capacity - offset);
    std::memcpy(ring_.bytes + offset, bytes, first);
    std::memcpy(ring_.bytes, bytes + first, count - first);
    at_ += static_cast<std::uint32_t>(count);
  }
  void publish() {
    auto word = ring_.word.load();
    while (!ring_.word.compare_exchange_weak(
        word, LogRing::packed({LogRing::unpacked(word).released, at_})))
      continue;
  }
  // Whether to ring now: published, and control waits for it.
  bool to_ring() {
    return (ring_.watched.load() != 0 || ring_.span().size() >= LogRing::to_ring_at) &&
           ring_.rung.exchange(1) == 0;
  }
  // Whoever rang before may have rung in vain: to somebody who is gone.
  void forget_ringing() { ring_.rung.store(0); }

 private:
  void begin_anew_when_empty() {
    const auto start = (at_ + LogRing::capacity - 1) & ~(LogRing::capacity - 1);
    auto word = LogRing::packed({at_, at_});
    if (start != at_ && ring_.word.compare_exchange_strong(word, LogRing::packed({start, start})))
      at_ = start;
  }

  LogRing& ring_;
  std::uint32_t at_;
};

// Control's side, which trusts nothing that it finds there.
class LogRingReader {
 public:
  explicit LogRingReader(std::shared_ptr<LogRing> ring)
      : ring_(std::move(ring)), at_(ring_->span().released) {}

  // Whole frames, all that there are since the last call: added to `to`. False when this is no
  // ring (any more).
  bool read(std::string& to) {
    ring_->rung.store(0);
    const auto span = ring_->span();
    if (span.size() > LogRing::capacity) return false;
    if (at_ - span.released > span.size()) at_ = span.released;  // it began anew
    const auto count = span.filled - at_;
    const auto offset = at_ % LogRing::capacity;
    const auto first = std::min(count, LogRing::capacity - offset);
    to.append(ring_->bytes + offset, first).append(ring_->bytes, count - first);
    at_ = span.filled;
    return true;
  }
  // Up to where it was read.
  std::uint32_t place() const { return at_; }
  void watch(bool yes) { ring_->watched.store(yes ? 1 : 0); }
  const std::shared_ptr<LogRing>& ring() const { return ring_; }

  // What lies before `place` need not be kept. From any thread, one at a time.
  static void release(LogRing& ring, std::uint32_t place) {
    auto word = ring.word.load();
    for (;;) {
      const auto span = LogRing::unpacked(word);
      if (place - span.released > span.size()) return;  // long ago
      if (ring.word.compare_exchange_weak(word, LogRing::packed({place, span.filled}))) return;
    }
  }

 private:
  std::shared_ptr<LogRing> ring_;
  std::uint32_t at_;
};

// Maps the memory that came with a greeting. Null when it is not one that its sender cannot shrink,
// of the right size.
std::shared_ptr<LogRing> map_log_ring(int memory);

}  // namespace renga::sandbox
