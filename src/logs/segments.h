// Segments: one app's log on the disk: a directory of text files, each named for the place of its
// first line, each line as a tail shows it. A line's place follows from its position in its file.
// All but the newest are compressed (`zstdless`); the time of each one's first line is the index by
// time. Private to this room.
//
// The object is only what is known of the files, a few words an app; the writer may keep the newest
// one open beside it. One thread writes; readers work on a copy, and find what they may read by the
// sizes in it: a segment that was dropped meanwhile is simply not there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "os/fd.h"

namespace renga::logs {

// The newest segment's file, open for writing; empty before the first line.
struct OpenSegment {
  std::uint64_t first = 0;
  os::Fd file;
  // Somebody else took it away: what is written to it would be nowhere.
  bool is_unlinked() const;
};

class Segments {
 public:
  // Finds what is there. Cuts off a last line without an end, which a killed writer left.
  Segments(std::filesystem::path directory, std::int64_t most_bytes);

  // Appends whole lines (each with its end) as one write, and drops the oldest segments past the
  // limit. Throws when the disk refuses; nothing of the lines is kept then. `open` is for the next
  // call, if there is one soon.
  void append(std::string_view lines, std::size_t count, OpenSegment& open);

  std::uint64_t next_place() const { return next_; }

  // Calls `each` with lines and their places until it returns false: from the newest back, or from
  // after `place` on.
  using Each = std::function<bool(std::uint64_t place, std::string_view line)>;
  void backward(const Each& each) const;
  void forward(std::uint64_t place, const Each& each) const;
  // A place that no line of this time or later comes before; as near as whole segments go.
  std::uint64_t place_before(Time time) const;

 private:
  struct Segment {
    std::uint64_t first = 0;
    std::int64_t bytes = 0;  // on disk
    bool packed = false;
    std::optional<Time> begins = {};  // its first line's time
  };
  std::filesystem::path path_of(const Segment& segment) const;
  void find_segments();
  void begin_segment();
  void pack(Segment& segment) const;
  // Up to `size` bytes of its text from `offset`.
  using Read = std::function<std::string(std::int64_t offset, std::int64_t size)>;
  struct Opened {
    std::int64_t bytes = 0;  // of text
    Read read;
  };
  std::optional<Opened> open(const Segment& segment) const;

  std::shared_ptr<const std::filesystem::path> directory_;  // of all copies
  std::int64_t most_bytes_;
  std::vector<Segment> segments_;  // oldest first
  std::uint64_t next_ = 1;
};

}  // namespace renga::logs
