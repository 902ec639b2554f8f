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
#include <shared_mutex>
#include <stdexcept>
#include <thread>
#include <unordered_map>

#include "base/locked.h"
#include "base/report.h"
#include "logs/line_batch.h"
#include "logs/open_files.h"

namespace renga::logs {
namespace {

using App = Id<apps::App>;

constexpr std::size_t most_lines_read = 1'500;
constexpr std::size_t most_queued_bytes = 32u << 20;
constexpr std::size_t enough = 256u << 10;  // bytes to write without gathering more
constexpr std::chrono::seconds quiet{10};   // then an app's file is closed
// A noisy app cannot take these from the others, however full the queue is.
constexpr std::size_t lines_of_its_own = 256;
// Lines are in the order in which they came, and their times nearly so: dynos stamp them.
constexpr std::chrono::minutes disorder{1};

struct Drops {
  std::int64_t count = 0;
  Time since;
};

struct Waiting {
  LineBatch lines;
  std::size_t bytes = 0;
  Drops dropped;
};

// Follower: the store's side of a Tail. Recursive, since a call may destroy its own tail.
struct Follower {
  Filter filter;
  LogStore::Each each;
  Pace pace = Pace::at_once;
  std::recursive_mutex calling;
  bool gone = false;
};

// An id becomes a path: they are UUIDs, and nothing else may be one.
void check(const App& app) {
  if (app.empty() || app.value.find_first_of("/.") != std::string::npos)
    throw std::invalid_argument("\"" + app.value + "\" cannot be an app's id.");
}

// Loss is said in whole seconds, as Heroku does.
LineBatch loss(Time now, fmt::format_string<std::int64_t&, std::string&> form, Drops drops) {
  auto since = rfc3339(drops.since).substr(0, 19) + "+00:00";
  LineBatch line;
  line.add({now, "heroku", "logplex", fmt::format(form, drops.count, since)});
  return line;
}

}  // namespace

bool Filter::accepts_all() const { return !source && !process && !since && !until && text.empty(); }

bool Filter::accepts(const LineView& line) const {
  if (source && *source != line.source) return false;
  if ((since && line.at < *since) || (until && line.at >= *until)) return false;
  if (!text.empty() && line.message.find(text) == std::string_view::npos) return false;
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
    Ticket appended = 0;
    Ticket written = 0;
    bool hurry = false;  // somebody waits in settle()
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
    check(app);
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
  void tell_followers(const App& app, const LineBatch& lines, std::uint64_t first);
  std::optional<std::uint64_t> write_lines(const App& app, const LineBatch& lines);

  const LogStoreOptions options;
  std::mutex files;
  OpenFiles open{options.most_open_files};
  std::condition_variable work;
  std::condition_variable done;
  std::shared_mutex feeding;  // shared during a call of the feeder's
  Feeder* feeder = nullptr;
  Locked<Shared> shared;
  std::unordered_map<App, Drops> lost;  // the writer's own: lines the disk refused
  std::thread writer;                   // last, as it uses all the rest
};

void LogStore::State::write() {
  for (;;) {
    std::unordered_map<App, Waiting> batch;
    std::uint64_t until = 0;
    bool idle = false;
    {
      auto guard = shared.lock();
      idle = !guard.wait_for(work, quiet, [&] { return guard->ending || !guard->queue.empty(); });
      // Where there is one line there are more, and they cost little more than the one.
      if (!idle)
        guard.wait_for(work, options.gather,
                       [&] { return guard->ending || guard->hurry || guard->bytes >= enough; });
      if (!idle && guard->queue.empty()) return;
      batch.swap(guard->queue);
      guard->removed.clear();
      guard->hurry = false;
      guard->lines = 0;
      guard->bytes = 0;
      until = guard->appended;
    }
    for (auto& [app, waiting] : batch) write_app(app, std::move(waiting));
    {
      const std::lock_guard writing(files);
      open.close_unused_since(OpenFiles::Clock::now() - quiet);
    }
    {
      const std::shared_lock calling(feeding);
      if (feeder != nullptr) feeder->written(until);
    }
    shared.lock()->written = until;
    done.notify_all();
  }
}

void LogStore::State::write_app(const App& app, Waiting waiting) {
  auto& lines = waiting.lines;
  if (lines.empty() && waiting.dropped.count == 0) return;  // taken away by remove()
  const auto now = SystemClock().now();
  const auto count = static_cast<std::int64_t>(lines.size()) + waiting.dropped.count;
  const auto first_at = lines.empty() ? waiting.dropped.since : lines.begins();
  if (waiting.dropped.count > 0)
    lines.add(loss(now, "Error L12: {} messages dropped since {}.", waiting.dropped));
  if (const auto found = lost.find(app); found != lost.end()) {
    LineBatch with_loss;
    with_loss.add(loss(now, "Error L13: {} messages lost since {}.", found->second));
    with_loss.add(lines);
    lines = std::move(with_loss);
  }

  std::optional<std::uint64_t> first;
  try {
    first = write_lines(app, lines);
    lost.erase(app);
  } catch (const std::exception& failure) {
    auto& drops = lost[app];
    if (drops.count == 0) {
      drops.since = first_at;
      report("logs", fmt::format("lines of app {} are lost: {}", app.value, failure.what()));
    }
    drops.count += count;
  }
  if (first) tell_followers(app, lines, *first);
}

void LogStore::State::tell_followers(const App& app, const LineBatch& lines, std::uint64_t first) {
  std::vector<std::shared_ptr<Follower>> followers;
  {
    auto guard = shared.lock();
    if (const auto found = guard->followers.find(app); found != guard->followers.end())
      followers = found->second;
  }
  if (followers.empty()) return;
  const auto all = lines.placed(first);
  std::vector<PlacedView> some;
  for (const auto& follower : followers) {
    std::span<const PlacedView> accepted(all);
    if (!follower->filter.accepts_all()) {
      some.clear();
      std::ranges::copy_if(all, std::back_inserter(some), [&](const PlacedView& line) {
        return follower->filter.accepts(line.line);
      });
      accepted = some;
    }
    if (accepted.empty()) continue;
    const std::lock_guard calling(follower->calling);
    if (follower->gone) continue;
    try {
      follower->each(accepted);
    } catch (const std::exception& failure) {
      report("logs", fmt::format("a tail failed: {}", failure.what()));
    }
  }
}

// The first line's place; nothing when the app is gone.
std::optional<std::uint64_t> LogStore::State::write_lines(const App& app, const LineBatch& lines) {
  const std::lock_guard writing(files);
  if (std::ranges::count(shared.lock()->removed, app) > 0) return std::nullopt;
  auto segments = known(app);
  const auto place = segments.next_place();
  // A copy is written with, and put back when it is true: readers never see what is not there yet.
  try {
    segments.append(lines.text(), lines.size(), open.of(app));
  } catch (...) {
    open.close(app);
    shared.lock()->logs.erase(app);  // looked up again
    throw;
  }
  shared.lock()->logs.insert_or_assign(app, std::move(segments));
  return place;
}

LogStore::LogStore(LogStoreOptions options) : state_(std::make_unique<State>(std::move(options))) {}
LogStore::~LogStore() = default;

Ticket LogStore::append(const App& app, std::span<const LineView> lines) {
  check(app);  // here and not on the writer's thread
  bool wake = false;
  Ticket ticket = 0;
  {
    auto guard = state_->shared.lock();
    wake = guard->queue.empty();
    const auto before = guard->bytes;
    auto& waiting = guard->queue[app];
    ticket = ++guard->appended;
    const auto& options = state_->options;
    const auto own = std::min(lines_of_its_own, options.queue_lines / 4);
    const auto add = [&](const LineView& line) {
      const auto size = line.message.size() + 64;
      // A noisy app leaves room for the others, and noisy apps together do.
      if (waiting.lines.size() >= own &&
          (guard->lines >= options.queue_lines || guard->bytes + size > most_queued_bytes ||
           waiting.bytes + size > most_queued_bytes / 2 ||
           waiting.lines.size() >= std::max<std::size_t>(1, options.queue_lines / 2))) {
        if (waiting.dropped.count++ == 0) waiting.dropped.since = line.at;
        return;
      }
      ++guard->lines;
      guard->bytes += size;
      waiting.bytes += size;
      waiting.lines.add(line);
    };
    for (const auto& line : lines) {
      if (is_one_line(line.message)) {
        add(line);
        continue;
      }
      for (const auto& piece : cut(line.message)) add({line.at, line.source, line.process, piece});
    }
    wake = wake || (before < enough && guard->bytes >= enough);
  }
  if (wake) state_->work.notify_one();
  return ticket;
}

std::vector<Placed> LogStore::last(const App& app, const Filter& filter, std::size_t count) {
  count = std::min(count, most_lines_read);
  std::vector<Placed> found;
  if (count == 0) return found;
  state_->snapshot(app).backward([&](std::uint64_t place, std::string_view text) {
    const auto line = parse(text);
    if (!line) return true;
    if (filter.since && line->at < *filter.since - disorder) return false;
    if (filter.accepts(*line)) found.push_back({place, copy_of(*line)});
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
    const auto line = parse(text);
    if (!line) return true;
    if (filter.until && line->at > *filter.until + disorder) return false;
    if (filter.accepts(*line)) found.push_back({at, copy_of(*line)});
    return found.size() < count;
  });
  return found;
}

std::uint64_t LogStore::newest(const App& app) { return state_->snapshot(app).next_place() - 1; }

std::unique_ptr<Tail> LogStore::tail(const App& app, Filter filter, Each each, Pace pace) {
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
  follower->pace = pace;
  state_->shared.lock()->followers[app].push_back(follower);
  return std::make_unique<Following>(*state_, app, std::move(follower));
}

std::unordered_set<App> LogStore::followed() {
  std::unordered_set<App> apps;
  auto guard = state_->shared.lock();
  for (const auto& [app, followers] : guard->followers)
    if (std::ranges::any_of(followers, [](const auto& one) { return one->pace == Pace::at_once; }))
      apps.insert(app);
  return apps;
}

void LogStore::set_feeder(Feeder* feeder) {
  const std::unique_lock changing(state_->feeding);
  state_->feeder = feeder;
  if (feeder != nullptr) feeder->written(state_->shared.lock()->written);
}

void LogStore::settle() {
  {
    const std::shared_lock calling(state_->feeding);
    if (state_->feeder != nullptr) state_->feeder->fetch();
  }
  auto guard = state_->shared.lock();
  const auto until = guard->appended;
  guard->hurry = true;
  state_->work.notify_one();
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
      guard->bytes -= waiting->second.bytes;
      waiting->second = {};  // stays, so that the writer passes by and settle() ends
    }
    guard->logs.erase(app);
    guard->removed.push_back(app);
  }
  state_->open.close(app);
  std::filesystem::remove_all(path);
}

}  // namespace renga::logs
