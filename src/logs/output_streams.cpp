// Followers over HTTP hold no thread: one pump thread looks after all of them. It is woken by
// append() and finish(), reads from the file what a follower has not had, and hands it over by
// try_write; a client that is slow is asked again after a tenth of a second, and one that left is
// forgotten at the next look.
#include "logs/output_streams.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <condition_variable>
#include <list>
#include <thread>
#include <unordered_map>

#include "base/fault.h"
#include "base/locked.h"
#include "base/random.h"
#include "base/report.h"
#include "base/text.h"
#include "logs/output_file.h"
#include "logs/server_sent_events.h"

namespace renga::logs {
namespace {

namespace fs = std::filesystem;
using Steady = std::chrono::steady_clock;

constexpr std::size_t piece = 64 << 10;
constexpr auto retry_after = std::chrono::milliseconds(100);

// Follower: an HTTP answer that is written over time. Belongs to the pump thread once it is handed
// over.
struct Follower {
  std::shared_ptr<OutputFile> file;
  std::shared_ptr<http::ResponseStream> stream;
  std::int64_t offset = 0;
  bool events = false;
  Steady::time_point spoke;

  enum class State { waiting, slow, over };

  State advance(std::chrono::milliseconds ping_every) {
    for (;;) {
      if (!stream->open()) return State::over;
      const auto reach = file->reach();
      if (offset >= reach.size && reach.ended) {
        stream->finish();
        return State::over;
      }
      auto bytes = file->read(offset, piece);
      // An event is whole lines, since its end is a line's end to whoever shows it. The last line
      // of a finished stream, and one longer than a piece, go as they are.
      if (events &&
          !(reach.ended && offset + static_cast<std::int64_t>(bytes.size()) >= reach.size) &&
          bytes.size() < piece)
        bytes.resize(bytes.rfind('\n') == std::string::npos ? 0 : bytes.rfind('\n') + 1);
      if (bytes.empty()) {
        if (events && Steady::now() - spoke >= ping_every && stream->try_write(sse::ping))
          spoke = Steady::now();
        return State::waiting;
      }
      const auto end = offset + static_cast<std::int64_t>(bytes.size());
      if (!stream->try_write(events ? event(bytes, end) : bytes)) return State::slow;
      offset = end;
      spoke = Steady::now();
    }
  }

  static std::string event(std::string_view bytes, std::int64_t end) {
    if (bytes.ends_with('\n')) bytes.remove_suffix(1);
    std::string out;
    sse::append_event(out, static_cast<std::uint64_t>(end), bytes);
    return out;
  }
};

// N of "bytes=N-"; other forms are not offered, and an answer may always be whole.
std::optional<std::int64_t> first_byte(const http::Request& request) {
  auto range = request.headers.value_or("Range", "");
  if (!range.starts_with("bytes=") || !range.ends_with('-')) return std::nullopt;
  range.remove_prefix(6);
  range.remove_suffix(1);
  const auto number = text::number(range);
  return number && *number >= 0 ? number : std::nullopt;
}

http::Response plain(int status, std::string body) {
  http::Response answer;
  answer.status = status;
  answer.headers.set("Content-Type", "text/plain; charset=utf-8");
  answer.body = std::move(body);
  return answer;
}

}  // namespace

struct OutputStreams::State {
  State(fs::path given, OutputStreamsOptions given_options)
      : directory(std::move(given)), options(given_options) {}

  // One object for all who append to or follow a stream now; nothing for an unknown one.
  std::shared_ptr<OutputFile> file(const std::string& id) {
    auto guard = files.lock();
    auto& known = (*guard)[id];
    auto found = known.lock();
    if (!found && OutputFile::path_of(directory, id)) {
      found = std::make_shared<OutputFile>(directory, id, options.most_bytes);
      known = found;
    }
    if (!found) guard->erase(id);
    return found;
  }

  // Whoever appends keeps the file open until it is finished.
  std::shared_ptr<OutputFile> growing(const std::string& id) {
    {
      auto guard = open.lock();
      if (const auto found = guard->find(id); found != guard->end()) return found->second;
    }
    auto found = file(id);
    if (!found || found->reach().ended) return found;
    open.lock()->emplace(id, found);
    if (found->reach().ended) open.lock()->erase(id);  // by another thread, just now
    return found;
  }

  // Takes the names of streams out that nobody uses any more.
  void forget(const std::string& id) {
    open.lock()->erase(id);
    std::erase_if(*files.lock(), [](const auto& each) { return each.second.expired(); });
  }

  void poke() {
    pump.lock()->look = true;
    wake.notify_one();
  }

  void run();

  struct Pump {
    std::list<Follower> added;
    bool look = false;
    bool ending = false;
  };

  const fs::path directory;
  const OutputStreamsOptions options;
  Locked<std::unordered_map<std::string, std::weak_ptr<OutputFile>>> files;
  Locked<std::unordered_map<std::string, std::shared_ptr<OutputFile>>> open;
  Locked<Pump> pump;
  std::condition_variable wake;
  std::thread thread;
};

void OutputStreams::State::run() {
  std::list<Follower> all;
  bool slow = false;
  for (;;) {
    {
      auto guard = pump.lock();
      const std::chrono::milliseconds limit =
          slow ? retry_after : std::min(options.ping_every, std::chrono::milliseconds(5'000));
      guard.wait_for(wake, limit,
                     [&] { return guard->look || guard->ending || !guard->added.empty(); });
      if (guard->ending) break;
      guard->look = false;
      all.splice(all.end(), guard->added);
    }
    slow = false;
    for (auto each = all.begin(); each != all.end();) {
      auto state = Follower::State::over;
      try {
        state = each->advance(options.ping_every);
      } catch (const std::exception& failure) {
        report("logs", fmt::format("an output cannot be followed: {}", failure.what()));
        each->stream->finish();
      }
      slow = slow || state == Follower::State::slow;
      each = state == Follower::State::over ? all.erase(each) : std::next(each);
    }
  }
  for (auto& each : all) each.stream->finish();
}

OutputStreams::OutputStreams(fs::path directory, OutputStreamsOptions options)
    : state_(std::make_shared<State>(std::move(directory), options)) {
  fs::create_directories(state_->directory);
  fs::permissions(state_->directory, fs::perms::owner_all);
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

OutputStreams::~OutputStreams() {
  state_->pump.lock()->ending = true;
  state_->wake.notify_one();
  state_->thread.join();
  for (auto& each : state_->pump.lock()->added) each.stream->finish();
}

std::string OutputStreams::create() {
  auto id = random_hex(32);
  const auto path = state_->directory / (id + ".open");
  const os::Fd made(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!made) fault("make " + path.string());
  return id;
}

void OutputStreams::append(const std::string& id, std::string_view bytes) {
  const auto file = state_->growing(id);
  if (!file) return;
  file->append(bytes);
  state_->poke();
}

void OutputStreams::finish(const std::string& id) {
  const auto file = state_->growing(id);
  if (!file) return;
  file->finish();
  state_->forget(id);
  state_->poke();
}

bool OutputStreams::finished(const std::string& id) const {
  const auto path = OutputFile::path_of(state_->directory, id);
  return path && path->extension() == ".done";
}

bool OutputStreams::exists(const std::string& id) const {
  return OutputFile::path_of(state_->directory, id).has_value();
}

bool OutputStreams::follow(const std::string& id, std::uint64_t offset,
                           const std::function<bool(std::string_view)>& each) {
  const auto file = state_->file(id);
  if (!file) return false;
  for (auto at = static_cast<std::int64_t>(offset);;) {
    const auto reach = file->wait(at);
    const auto bytes = file->read(at, piece);
    if (bytes.empty() && reach.ended) return true;
    if (!bytes.empty() && !each(bytes)) return true;
    at += static_cast<std::int64_t>(bytes.size());
  }
}

http::Response OutputStreams::open(const http::Request& request, const std::string& id) {
  const auto file = state_->file(id);
  if (!file) return plain(404, "There is no such output.\n");

  const bool events = sse::wanted(request);
  auto answer = sse::response(events);
  std::int64_t offset = 0;
  const auto reach = file->reach();
  if (const auto seen = sse::last_event_id(request)) {
    offset = static_cast<std::int64_t>(*seen);
  } else if (const auto range = first_byte(request); range && !events) {
    offset = *range;
    if (reach.ended && offset >= reach.size && offset > 0) {
      auto refused = plain(416, "The output is shorter than that.\n");
      refused.headers.set("Content-Range", fmt::format("bytes */{}", reach.size));
      return refused;
    }
    // While it grows nobody knows where it will end, and the header has no way to say so.
    if (reach.ended && reach.size > 0)
      answer.headers.set("Content-Range",
                         fmt::format("bytes {}-{}/{}", offset, reach.size - 1, reach.size));
    answer.status = 206;
  }
  answer.stream = [self = std::weak_ptr(state_), file, offset,
                   events](const std::shared_ptr<http::ResponseStream>& stream) {
    const auto state = self.lock();
    if (!state) return;
    auto guard = state->pump.lock();
    if (guard->ending) return;
    guard->added.push_back({file, stream, offset, events, Steady::now()});
    state->wake.notify_one();
  };
  return answer;
}

void OutputStreams::remove(const std::string& id) {
  if (const auto file = state_->file(id)) file->remove();
  state_->forget(id);
  state_->poke();
}

}  // namespace renga::logs
