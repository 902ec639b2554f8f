// Three locks, never held together but in this order: `files` (the writer while it writes an app's
// lines; remove()), then the state's own, short one. A tail has a lock of its own, held during its
// call, so that its destructor can wait for the call to end.
#include "logs/log_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <unordered_map>

#include "base/locked.h"
#include "base/report.h"
#include "base/text.h"
#include "logs/segments.h"

namespace renga::logs {
namespace {

using App = Id<apps::App>;

constexpr std::size_t most_lines_read = 1'500;
constexpr std::size_t most_queued_bytes = 32u << 20;
// A noisy app cannot take these from the others, however full the queue is.
constexpr std::size_t lines_of_its_own = 256;
// Lines are in the order in which they came, and their times nearly so: dynos stamp them.
constexpr std::chrono::minutes disorder{1};

struct Drops {
  std::int64_t count = 0;
  Time since;
};

struct Waiting {
  std::vector<Line> lines;
  Drops dropped;
};

// Follower: the store's side of a Tail. Recursive, since a call may destroy its own tail.
struct Follower {
  Filter filter;
  std::function<void(const Placed&)> each;
  std::recursive_mutex calling;
  bool gone = false;
};

// Sources and processes come from the platform, but a bracket in one must not change a line's
// meaning.
std::string plain(std::string word) {
  for (auto& c : word)
    if (c == '[' || c == ']' || c == ' ' || static_cast<unsigned char>(c) < 32) c = '_';
  return word;
}

// Loss is said in whole seconds, as Heroku does.
std::string since(Time time) { return rfc3339(time).substr(0, 19) + "+00:00"; }

}  // namespace

bool Filter::accepts(const Line& line) const {
  if (source && *source != line.source) return false;
  if ((since && line.at < *since) || (until && line.at >= *until)) return false;
  if (!text.empty() && line.message.find(text) == std::string::npos) return false;
  if (!process || *process == line.process) return true;
  // "web" is all of web.1, web.2; but "web.1" is not web.10.
  return process->find('.') == std::string::npos && line.process.size() > process->size() &&
         line.process.starts_with(*process) && line.process[process->size()] == '.';
}

struct LogStore::State {
  struct Shared {
    std::unordered_map<App, Waiting> queue;
    std::size_t lines = 0;
    std::size_t bytes = 0;
    std::uint64_t appended = 0;  // batches that were begun, and written: settle() compares
    std::uint64_t written = 0;
    bool ending = false;
    std::vector<App> removed;                // since the writer took the lines that it is writing
    std::unordered_map<App, Segments> logs;  // of apps that were read or written since the start
    std::unordered_map<App, std::vector<std::shared_ptr<Follower>>> followers;
  };

  explicit State(LogStoreOptions given) : options(std::move(given)), writer([this] { write(); }) {}
  ~State() {
    shared.lock()->ending = true;
    work.notify_one();
    writer.join();
  }

  std::filesystem::path directory(const App& app) const {
    // It becomes a path: ids are UUIDs, and nothing else may be one.
    if (app.empty() || app.value.find_first_of("/.") != std::string::npos)
      throw std::invalid_argument("\"" + app.value + "\" cannot be an app's id.");
    return options.directory / app.value;
  }

  // With `files` held: what is known of an app's files.
  Segments known(const App& app) {
    {
      auto guard = shared.lock();
      if (const auto found = guard->logs.find(app); found != guard->logs.end())
        return found->second;
    }
    Segments found(directory(app), options.bytes_per_app);
    return shared.lock()->logs.try_emplace(app, std::move(found)).first->second;
  }

  Segments snapshot(const App& app) {
    {
      auto guard = shared.lock();
      if (const auto found = guard->logs.find(app); found != guard->logs.end())
        return found->second;
    }
    const std::lock_guard reading(files);
    return known(app);
  }

  void write();
  void write_app(const App& app, Waiting waiting);
  std::vector<Placed> write_lines(const App& app, std::vector<Line> lines);

  const LogStoreOptions options;
  std::mutex files;
  std::condition_variable work;
  std::condition_variable done;
  Locked<Shared> shared;
  std::unordered_map<App, Drops> lost;  // the writer's own: lines the disk refused
  std::thread writer;                   // last, as it uses all the rest
};

void LogStore::State::write() {
  for (;;) {
    std::unordered_map<App, Waiting> batch;
    std::uint64_t until = 0;
    {
      auto guard = shared.lock();
      guard.wait(work, [&] { return guard->ending || !guard->queue.empty(); });
      if (guard->queue.empty()) return;
      batch.swap(guard->queue);
      guard->removed.clear();
      guard->lines = 0;
      guard->bytes = 0;
      until = guard->appended;
    }
    for (auto& [app, waiting] : batch) write_app(app, std::move(waiting));
    shared.lock()->written = until;
    done.notify_all();
  }
}

void LogStore::State::write_app(const App& app, Waiting waiting) {
  if (waiting.lines.empty() && waiting.dropped.count == 0) return;  // taken away by remove()
  const auto now = SystemClock().now();
  const auto count = static_cast<std::int64_t>(waiting.lines.size()) + waiting.dropped.count;
  const auto first_at = waiting.lines.empty() ? waiting.dropped.since : waiting.lines.front().at;
  if (waiting.dropped.count > 0)
    waiting.lines.push_back({now, "heroku", "logplex",
                             fmt::format("Error L12: {} messages dropped since {}.",
                                         waiting.dropped.count, since(waiting.dropped.since))});
  if (const auto found = lost.find(app); found != lost.end())
    waiting.lines.insert(waiting.lines.begin(),
                         {now, "heroku", "logplex",
                          fmt::format("Error L13: {} messages lost since {}.", found->second.count,
                                      since(found->second.since))});

  std::vector<std::shared_ptr<Follower>> followers;
  std::vector<Placed> placed;
  try {
    try {
      placed = write_lines(app, std::move(waiting.lines));
      lost.erase(app);
    } catch (const std::exception& failure) {
      auto& drops = lost[app];
      if (drops.count == 0) {
        drops.since = first_at;
        report("logs", fmt::format("lines of app {} are lost: {}", app.value, failure.what()));
      }
      drops.count += count;
      return;
    }
    auto guard = shared.lock();
    if (const auto found = guard->followers.find(app); found != guard->followers.end())
      followers = found->second;
  } catch (const std::exception& failure) {
    report("logs", failure.what());
    return;
  }
  for (const auto& follower : followers) {
    for (const auto& line : placed) {
      if (!follower->filter.accepts(line.line)) continue;
      const std::lock_guard calling(follower->calling);
      if (follower->gone) break;
      try {
        follower->each(line);
      } catch (const std::exception& failure) {
        report("logs", fmt::format("a tail failed: {}", failure.what()));
      }
    }
  }
}

std::vector<Placed> LogStore::State::write_lines(const App& app, std::vector<Line> lines) {
  std::string bytes;
  for (const auto& line : lines) {
    bytes += format(line);
    bytes += '\n';
  }
  const std::lock_guard writing(files);
  if (std::ranges::count(shared.lock()->removed, app) > 0) return {};
  auto segments = known(app);
  auto place = segments.next_place();
  // A copy is written with, and put back when it is true: readers never see what is not there yet.
  try {
    segments.append(bytes, lines.size());
  } catch (...) {
    shared.lock()->logs.erase(app);  // looked up again
    throw;
  }
  shared.lock()->logs.insert_or_assign(app, std::move(segments));

  std::vector<Placed> placed;
  placed.reserve(lines.size());
  for (auto& line : lines) placed.push_back({place++, std::move(line)});
  return placed;
}

LogStore::LogStore(LogStoreOptions options) : state_(std::make_unique<State>(std::move(options))) {}
LogStore::~LogStore() = default;

void LogStore::append(const App& app, Line line) {
  state_->directory(app);  // throws for what is no id, here and not on the writer's thread
  line.source = plain(std::move(line.source));
  line.process = plain(std::move(line.process));
  auto messages = cut(line.message);
  {
    auto guard = state_->shared.lock();
    auto& waiting = guard->queue[app];
    ++guard->appended;
    for (auto& message : messages) {
      const auto size = message.size() + 64;
      // A noisy app leaves room for the others, and noisy apps together do.
      const auto& options = state_->options;
      const auto own = std::min(lines_of_its_own, options.queue_lines / 4);
      if (waiting.lines.size() >= own &&
          (guard->lines >= options.queue_lines || guard->bytes + size > most_queued_bytes ||
           waiting.lines.size() >= std::max<std::size_t>(1, options.queue_lines / 2))) {
        if (waiting.dropped.count++ == 0) waiting.dropped.since = line.at;
        continue;
      }
      ++guard->lines;
      guard->bytes += size;
      waiting.lines.push_back({line.at, line.source, line.process, std::move(message)});
    }
  }
  state_->work.notify_one();
}

std::vector<Placed> LogStore::last(const App& app, const Filter& filter, std::size_t count) {
  count = std::min(count, most_lines_read);
  std::vector<Placed> found;
  if (count == 0) return found;
  state_->snapshot(app).backward([&](std::uint64_t place, std::string_view text) {
    auto line = parse(text);
    if (!line) return true;
    if (filter.since && line->at < *filter.since - disorder) return false;
    if (filter.accepts(*line)) found.push_back({place, *std::move(line)});
    return found.size() < count;
  });
  std::ranges::reverse(found);
  return found;
}

std::vector<Placed> LogStore::after(const App& app, const Filter& filter, std::uint64_t place,
                                    std::size_t count) {
  std::vector<Placed> found;
  if (count == 0) return found;
  const auto segments = state_->snapshot(app);
  if (filter.since) place = std::max(place, segments.place_before(*filter.since - disorder));
  segments.forward(place, [&](std::uint64_t at, std::string_view text) {
    auto line = parse(text);
    if (!line) return true;
    if (filter.until && line->at > *filter.until + disorder) return false;
    if (filter.accepts(*line)) found.push_back({at, *std::move(line)});
    return found.size() < count;
  });
  return found;
}

std::uint64_t LogStore::newest(const App& app) { return state_->snapshot(app).next_place() - 1; }

std::unique_ptr<Tail> LogStore::tail(const App& app, Filter filter,
                                     std::function<void(const Placed&)> each) {
  class Following final : public Tail {
   public:
    Following(State& state, App app, std::shared_ptr<Follower> follower)
        : state_(state), app_(std::move(app)), follower_(std::move(follower)) {}
    ~Following() override {
      {
        auto guard = state_.shared.lock();
        const auto all = guard->followers.find(app_);
        std::erase(all->second, follower_);
        if (all->second.empty()) guard->followers.erase(all);
      }
      const std::lock_guard calling(follower_->calling);
      follower_->gone = true;
    }
    Following(const Following&) = delete;
    Following& operator=(const Following&) = delete;

   private:
    State& state_;
    const App app_;
    const std::shared_ptr<Follower> follower_;
  };

  auto follower = std::make_shared<Follower>();
  follower->filter = std::move(filter);
  follower->each = std::move(each);
  state_->shared.lock()->followers[app].push_back(follower);
  return std::make_unique<Following>(*state_, app, std::move(follower));
}

void LogStore::settle() {
  auto guard = state_->shared.lock();
  const auto until = guard->appended;
  if (!guard.wait_for(state_->done, std::chrono::minutes(1),
                      [&] { return guard->written >= until; }))
    throw std::runtime_error("The log's disk has not taken the waiting lines for a minute.");
}

void LogStore::remove(const App& app) {
  const auto path = state_->directory(app);
  const std::lock_guard writing(state_->files);
  {
    auto guard = state_->shared.lock();
    if (const auto waiting = guard->queue.find(app); waiting != guard->queue.end()) {
      guard->lines -= waiting->second.lines.size();
      for (const auto& line : waiting->second.lines) guard->bytes -= line.message.size() + 64;
      waiting->second = {};  // stays, so that the writer passes by and settle() ends
    }
    guard->logs.erase(app);
    guard->removed.push_back(app);
  }
  std::filesystem::remove_all(path);
}

}  // namespace renga::logs
