// LogStore: every app's log, kept on disk across restarts, and the tails that follow it. One
// directory an app, in segments of limited size of which the oldest go first. Writers never wait
// for a disk or a reader: lines queue (bounded), a writer thread appends them; what does not fit is
// dropped, counted, and said in the log itself (L12; L13 for what the disk refused). Safe from any
// thread. An app that is quiet costs a few hundred bytes and no open file.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "apps/app.h"
#include "logs/line.h"

namespace renga::logs {

// Which lines of an app: by source ("app" or "heroku"), by dyno ("web.1") or process type ("web"),
// from a time on and until before one, and with a text in them.
struct Filter {
  std::optional<std::string> source = {};
  std::optional<std::string> process = {};
  std::optional<Time> since = {};
  std::optional<Time> until = {};
  std::string text = {};
  bool accepts(const LineView& line) const;
  bool accepts_all() const;
};

// A line with its place in its app's log. Places grow by one a line and survive restarts.
struct Placed {
  std::uint64_t place = 0;
  Line line;
};
// What a tail is handed: nothing of it is valid beyond the call.
struct PlacedView {
  std::uint64_t place = 0;
  LineView line;
  std::string_view text;  // format(line)
};

// Follows one app's log while it lives. Once its destructor returned, nothing is called any more;
// it may run inside the call itself.
class Tail {
 public:
  virtual ~Tail() = default;
};

// When a tail wants its lines: at once, since somebody looks at them, or when they come by.
enum class Pace { at_once, in_time };

// Counts what was appended; grows.
using Ticket = std::uint64_t;

// Feeder: one who has lines that are not appended yet, and keeps those that are not written. Called
// from any thread, until set_feeder(nullptr) has returned; it must not call the store then, but for
// append().
class Feeder {
 public:
  virtual ~Feeder() = default;
  virtual void fetch() = 0;                // appends what it has; somebody waits for it
  virtual void written(Ticket until) = 0;  // that was written, or its loss is said in the log
};

struct LogStoreOptions {
  std::filesystem::path directory;
  std::int64_t bytes_per_app = 16LL << 20;  // on disk
  // Of all apps, waiting to be written; half of it for one app.
  std::size_t queue_lines = 100'000;
  // The disk and the tails are called for many lines at once, which wait for each other so long.
  std::chrono::milliseconds gather{5};
  // The files of apps that are written to stay open, those that wrote last.
  std::size_t most_open_files = 2'048;
};

class LogStore {
 public:
  explicit LogStore(LogStoreOptions options);
  // Writes what is queued, then ends. Tails must be gone.
  ~LogStore();
  LogStore(const LogStore&) = delete;
  LogStore& operator=(const LogStore&) = delete;

  // Never blocks. Messages are cut at their line ends and into lines of 10,000 bytes.
  void append(const Id<apps::App>& app, const LineView& line) { append(app, {&line, 1}); }
  Ticket append(const Id<apps::App>& app, std::span<const LineView> lines);

  // The newest `count` lines that the filter accepts, oldest first; at most 1,500.
  std::vector<Placed> last(const Id<apps::App>& app, const Filter& filter, std::size_t count);
  // Lines after this place, oldest first; at most `count`.
  std::vector<Placed> after(const Id<apps::App>& app, const Filter& filter, std::uint64_t place,
                            std::size_t count);

  // The place of the newest line that can be read; 0 when there is none.
  std::uint64_t newest(const Id<apps::App>& app);

  // Calls `each` with every accepted line from now on, some at a time and in order, on the store's
  // own thread, once they can be read by last() and after(); it must not block. A line that is not
  // written yet is one from now on.
  using Each = std::function<void(std::span<const PlacedView> lines)>;
  std::unique_ptr<Tail> tail(const Id<apps::App>& app, Filter filter, Each each,
                             Pace pace = Pace::at_once);
  // Apps that have a tail which wants lines at once.
  std::unordered_set<Id<apps::App>> followed();

  // Returns once everything appended before the call, and what the feeder had, can be read (by
  // last() and after()) and was handed to tails. Not from within a tail's call, or the feeder's.
  // Throws when the disk takes longer than a minute.
  void settle();
  void set_feeder(Feeder* feeder);  // at most one; nullptr: none
  void remove(const Id<apps::App>& app);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::logs
