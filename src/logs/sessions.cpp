// An open tail passes two stages. While the backlog is read and written, on the worker's thread,
// lines that arrive meanwhile wait in the tail; then they follow, without those that the backlog
// had (places tell), and from then on lines are written from the store's thread as they come, by
// try_write, which never waits. One thread for all tails sends the pings and clears away tails
// whose client left: the connection's own thread must not wait for a tail's call to end, so it only
// leaves word.
#include "logs/sessions.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <list>
#include <map>
#include <mutex>
#include <thread>

#include "base/locked.h"
#include "base/random.h"
#include "base/report.h"
#include "logs/server_sent_events.h"

namespace renga::logs {
namespace {

constexpr std::size_t most_lines = 1'500;
constexpr std::size_t most_waiting = 1'024;  // lines of one tail; Heroku's tail buffer
constexpr std::size_t resumed_at_a_time = 500;
constexpr std::size_t piece = 64u << 10;  // bytes that a client is sent at once
constexpr auto to_be_opened = std::chrono::minutes(6);
constexpr auto to_be_reopened = std::chrono::hours(24);

class OpenTail {
 public:
  OpenTail(std::shared_ptr<http::ResponseStream> stream, bool events, Clock& clock)
      : stream_(std::move(stream)), events_(events), clock_(clock) {}

  // From the store's thread.
  void arrived(std::span<const PlacedView> lines) {
    const std::lock_guard lock(mutex_);
    while (!lines.empty() && lines.front().place <= written_) lines = lines.subspan(1);
    if (live_) return write(lines);
    for (const auto& line : lines) {
      if (waiting_.size() < most_waiting)
        waiting_.push_back({line.place, copy_of(line.line)});
      else
        drop(1);
    }
  }

  // Lines of the backlog; waits for the client. False when it is gone.
  bool write_backlog(const std::vector<Placed>& lines) {
    std::string bytes;
    for (const auto& line : lines) {
      append(bytes, line.place, format(line.line));
      if (bytes.size() < piece) continue;
      if (!stream_->write(bytes)) return false;
      bytes.clear();
    }
    if (!bytes.empty() && !stream_->write(bytes)) return false;
    const std::lock_guard lock(mutex_);
    if (!lines.empty()) written_ = std::max(written_, lines.back().place);
    return true;
  }

  void go_live() {
    const std::lock_guard lock(mutex_);
    for (const auto& line : waiting_) {
      if (line.place <= written_) continue;
      const auto text = format(line.line);
      const PlacedView view{line.place, line.line, text};
      write({&view, 1});
    }
    waiting_.clear();
    waiting_.shrink_to_fit();
    live_ = true;
  }

  void ping() {
    const std::lock_guard lock(mutex_);
    if (!live_) return;
    tell_drops();
    if (events_ && dropped_ == 0) stream_->try_write(sse::ping);
  }

  bool open() const { return stream_->open(); }
  void finish() { stream_->finish(); }

  std::unique_ptr<Tail> tail;  // set before anyone else knows this object

 private:
  void append(std::string& out, std::uint64_t place, std::string_view text) const {
    if (events_) {
      sse::append_event(out, place, text);
    } else {
      out += text;
      out += '\n';
    }
  }

  // As few writes as pieces of a bearable size allow.
  void write(std::span<const PlacedView> lines) {
    while (!lines.empty()) {
      std::string bytes;
      std::size_t count = 0;
      for (; count < lines.size() && bytes.size() < piece; ++count)
        append(bytes, lines[count].place, lines[count].text);
      tell_drops();
      if (dropped_ == 0 && stream_->try_write(bytes))
        written_ = lines[count - 1].place;
      else
        drop(static_cast<std::int64_t>(count));
      lines = lines.subspan(count);
    }
  }

  void drop(std::int64_t count) {
    if (dropped_ == 0) dropped_since_ = clock_.now();
    dropped_ += count;
  }

  // Without an id: a client that reconnects still gets the lines that were dropped here.
  void tell_drops() {
    if (dropped_ == 0) return;
    const Line line{
        clock_.now(), "heroku", "logplex",
        fmt::format(
            "L11 (Tail buffer overflow) -> This tail session dropped {} messages since {}+00:00",
            dropped_, rfc3339(dropped_since_).substr(0, 19))};
    std::string bytes;
    if (events_) {
      sse::append_event(bytes, std::nullopt, format(line));
    } else {
      bytes = format(line) + '\n';
    }
    if (stream_->try_write(bytes)) dropped_ = 0;
  }

  const std::shared_ptr<http::ResponseStream> stream_;
  const bool events_;
  Clock& clock_;
  std::mutex mutex_;
  bool live_ = false;
  std::vector<Placed> waiting_;
  std::uint64_t written_ = 0;
  std::int64_t dropped_ = 0;
  Time dropped_since_;
};

struct Known {
  Session session;
  std::optional<Time> opened_at;
  bool expired(Time now) const {
    return opened_at ? now - *opened_at > to_be_reopened : now - session.created_at > to_be_opened;
  }
};

}  // namespace

struct Sessions::State {
  State(LogStore& given_store, Clock& given_clock, SessionsOptions given)
      : store(given_store), clock(given_clock), options(given) {}

  void serve(const Session& session, std::optional<std::uint64_t> resume, bool events,
             const std::shared_ptr<http::ResponseStream>& stream, const std::weak_ptr<State>& self);
  bool write_backlog(const Session& session, std::optional<std::uint64_t> resume, OpenTail& tail);
  void run();

  LogStore& store;
  Clock& clock;
  const SessionsOptions options;
  Locked<std::map<std::string, Known>> known;  // by secret

  struct Tails {
    std::list<std::shared_ptr<OpenTail>> all;
    bool look = false;  // a client left
    bool ending = false;
  };
  Locked<Tails> tails;
  std::condition_variable wake;
  std::thread thread;
};

Sessions::Sessions(LogStore& store, Clock& clock, SessionsOptions options)
    : state_(std::make_shared<State>(store, clock, options)) {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Sessions::~Sessions() {
  state_->tails.lock()->ending = true;
  state_->wake.notify_one();
  state_->thread.join();
  std::list<std::shared_ptr<OpenTail>> all;
  all.swap(state_->tails.lock()->all);
  for (const auto& each : all) {
    each->tail.reset();
    each->finish();
  }
}

Session Sessions::create(const Id<apps::App>& app, Filter filter, std::size_t lines, bool tail) {
  const auto now = state_->clock.now();
  Session session{.id = new_uuid(),
                  .secret = random_hex(32),
                  .app = app,
                  .filter = std::move(filter),
                  .lines = lines == everything ? lines : std::min(lines, most_lines),
                  .tail = tail,
                  .created_at = now};
  auto known = state_->known.lock();
  if (known->size() >= state_->options.most)
    std::erase_if(*known, [&](const auto& each) { return each.second.expired(now); });
  if (known->size() >= state_->options.most)
    known->erase(std::ranges::min_element(
        *known, {}, [](const auto& each) { return each.second.session.created_at; }));
  known->emplace(session.secret, Known{session, std::nullopt});
  return session;
}

http::Response Sessions::open(const http::Request& request, const std::string& secret) {
  const auto now = state_->clock.now();
  std::optional<Session> session;
  {
    auto known = state_->known.lock();
    const auto found = known->find(secret);
    if (found != known->end() && found->second.expired(now)) {
      known->erase(found);
    } else if (found != known->end()) {
      if (!found->second.opened_at) found->second.opened_at = now;
      session = found->second.session;
    }
  }
  if (!session) {
    http::Response answer;
    answer.status = 404;
    answer.headers.set("Content-Type", "text/plain; charset=utf-8");
    answer.body = "This log session does not exist or has expired. Ask for another one.\n";
    return answer;
  }
  const bool events = sse::wanted(request);
  auto answer = sse::response(events);
  answer.stream = [self = std::weak_ptr(state_), session = *session,
                   resume = sse::last_event_id(request),
                   events](const std::shared_ptr<http::ResponseStream>& stream) {
    if (const auto state = self.lock()) state->serve(session, resume, events, stream, self);
  };
  return answer;
}

void Sessions::State::serve(const Session& session, std::optional<std::uint64_t> resume,
                            bool events, const std::shared_ptr<http::ResponseStream>& stream,
                            const std::weak_ptr<State>& self) {
  const auto tail = std::make_shared<OpenTail>(stream, events, clock);
  // Before the backlog is read, so that nothing falls between the two.
  if (session.tail)
    tail->tail = store.tail(session.app, session.filter,
                            [weak = std::weak_ptr(tail)](std::span<const PlacedView> lines) {
                              if (const auto open = weak.lock()) open->arrived(lines);
                            });
  // A client may ask right after something was logged, and expects to see it.
  store.settle();
  if (!write_backlog(session, resume, *tail) || !session.tail) {
    tail->tail.reset();
    stream->finish();
    return;
  }
  tail->go_live();
  {
    auto guard = tails.lock();
    if (guard->ending) {
      stream->finish();
      return;
    }
    guard->all.push_back(tail);
  }
  stream->on_closed([self] {
    if (const auto state = self.lock()) {
      state->tails.lock()->look = true;
      state->wake.notify_one();
    }
  });
  // The client may have left just before it was listened to.
  if (!stream->open()) {
    tails.lock()->look = true;
    wake.notify_one();
  }
}

bool Sessions::State::write_backlog(const Session& session, std::optional<std::uint64_t> resume,
                                    OpenTail& tail) {
  if (!resume && session.lines == Sessions::everything) resume = 0;
  if (!resume) return tail.write_backlog(store.last(session.app, session.filter, session.lines));
  for (;;) {
    const auto lines = store.after(session.app, session.filter, *resume, resumed_at_a_time);
    if (!tail.write_backlog(lines)) return false;
    if (lines.size() < resumed_at_a_time) return true;
    resume = lines.back().place;
  }
}

void Sessions::State::run() {
  for (bool ending = false; !ending;) {
    std::list<std::shared_ptr<OpenTail>> left;
    std::vector<std::shared_ptr<OpenTail>> idle;
    {
      auto guard = tails.lock();
      const bool called =
          guard.wait_for(wake, options.ping_every, [&] { return guard->look || guard->ending; });
      ending = guard->ending;
      guard->look = false;
      for (auto each = guard->all.begin(); each != guard->all.end();) {
        const auto next = std::next(each);
        if (!(*each)->open()) left.splice(left.end(), guard->all, each);
        each = next;
      }
      if (!called) idle.assign(guard->all.begin(), guard->all.end());
    }
    for (const auto& each : idle) each->ping();
    for (const auto& each : left) each->tail.reset();
  }
}

std::size_t Sessions::open_tails() const { return state_->tails.lock()->all.size(); }

}  // namespace renga::logs
