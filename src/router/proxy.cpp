// When a dyno is retired. The table is taken over by each loop in its own time, so a dyno that it
// no longer names is watched from then on: it is free once every loop has taken the table over
// (nobody starts anything new) and its count of requests is zero. Both the last loop to take over
// and the last request to end look; the counter is changed before `leaving` is read, and `leaving`
// set before the counter is read, so one of them sees it.
#include "router/proxy.h"

#include <fcntl.h>

#include <atomic>
#include <deque>
#include <latch>
#include <thread>
#include <unordered_map>

#include "base/fault.h"
#include "base/locked.h"
#include "base/report.h"

namespace renga::router {

namespace {

struct Leaving {
  std::uint64_t since = 0;           // the table that no longer named it, by our own count
  std::shared_ptr<DynoState> state;  // none: the router never knew it
};

// A table that another has taken the place of, and how that one differs. What only these two have
// goes with them, and not on a loop's thread.
struct Old {
  std::uint64_t until = 0;  // the count of the table that took its place
  std::shared_ptr<const RouteIndex> table;
  std::shared_ptr<const TableDifference> difference;
};

struct Watch {
  std::uint64_t tables = 0;               // so many were set
  std::vector<std::uint64_t> taken_over;  // by each loop, the newest
  std::unordered_map<std::string, Leaving> leaving;
  // Those of `leaving` that are not looked at yet, since not every loop has their table: each once,
  // and from then on by the request that frees it.
  std::deque<std::pair<std::uint64_t, std::string>> unseen;
  std::shared_ptr<const RouteIndex> current = std::make_shared<const RouteIndex>();
  std::vector<Old> old;
  // Apps that are asleep, with the count of that table: requests of them may be under way.
  std::vector<std::pair<std::uint64_t, std::shared_ptr<const App>>> asleep;

  std::uint64_t everywhere() const {
    auto oldest = tables;
    for (const auto table : taken_over) oldest = std::min(oldest, table);
    return oldest;
  }
};

}  // namespace

struct Proxy::State {
  State(const Limits& l, ProxyEvents e) : limits(l), events(std::move(e)) {}

  const Limits limits;
  const ProxyEvents events;
  net::TlsServer tls{net::Protocols::http1_and_2};
  Locked<Watch> watch;
  std::vector<std::unique_ptr<ProxyLoop>> loops;
  std::vector<std::thread> threads;
  std::atomic<std::size_t> draining = 0;
  bool accepting = false;

  void taken_over(std::size_t loop, std::uint64_t table, std::uint64_t generation);
  void freed(const DynoState& dyno);
  static bool retire(Watch& watched, const std::string& dyno);
  void publish(const std::shared_ptr<const RouteIndex>& index, TableDifference difference,
               const std::vector<std::string>& retiring);
};

// Takes the dyno off the list if it is free.
bool Proxy::State::retire(Watch& watched, const std::string& dyno) {
  const auto found = watched.leaving.find(dyno);
  if (found == watched.leaving.end() || found->second.since > watched.everywhere()) return false;
  const auto& state = found->second.state;
  if (state && state->under_way.load() > 0) return false;
  watched.leaving.erase(found);
  return true;
}

void Proxy::State::taken_over(std::size_t loop, std::uint64_t table, std::uint64_t generation) {
  std::vector<std::string> retired, busy;
  bool everywhere = true;
  {
    auto watched = watch.lock();
    watched->taken_over[loop] = table;
    for (const auto other : watched->taken_over) everywhere = everywhere && other >= table;
    if (everywhere) {
      auto& unseen = watched->unseen;
      for (; !unseen.empty() && unseen.front().first <= table; unseen.pop_front()) {
        if (retire(*watched, unseen.front().second)) {
          retired.push_back(std::move(unseen.front().second));
        }
      }
      // Requests that began before it was idle, and pipes, which may be silent for long.
      std::erase_if(watched->asleep, [&](const auto& entry) {
        const auto& [since, app] = entry;
        if (since > watched->everywhere()) return false;
        const bool in_use = app->load->requests + app->load->pipes > 0;
        if (in_use && !app->wake_asked.exchange(true)) busy.push_back(app->route.app);
        return true;
      });
    }
  }
  for (const auto& app : busy) events.on_wake(app);
  if (everywhere) events.on_taken_over(generation);
  for (const auto& dyno : retired) events.on_retired(dyno);
}

void Proxy::State::freed(const DynoState& dyno) {
  if (retire(*watch.lock(), dyno.dyno)) events.on_retired(dyno.dyno);
}

Proxy::Proxy(const Limits& limits, std::size_t threads, ProxyEvents events)
    : state_(std::make_unique<State>(limits, std::move(events))) {
  auto& state = *state_;
  const auto loops = std::max<std::size_t>(threads, 1);
  auto each = limits;
  each.unfinished_heads /= loops;
  for (std::size_t i = 0; i < loops; ++i) {
    state.loops.push_back(std::make_unique<ProxyLoop>(
        each,
        LoopEvents{.on_log =
                       [&state](std::string records, std::size_t requests) {
                         state.events.on_log(std::move(records), requests);
                       },
                   .on_free = [&state](const DynoState& dyno) { state.freed(dyno); },
                   .on_wake = [&state](const std::string& app) { state.events.on_wake(app); }}));
  }
  state.watch.lock()->taken_over.resize(state.loops.size());
  for (auto& loop : state.loops) {
    state.threads.emplace_back([&loop] { loop->run(); });
  }
}

void Proxy::accept(const Sockets& sockets) {
  auto& state = *state_;
  if (std::exchange(state.accepting, true)) return;
  const auto port_of = [](const std::vector<os::Fd>& listeners) {
    if (listeners.empty()) return std::string();
    return std::to_string(net::local_address(listeners[0].get()).port());
  };
  const auto https_port = port_of(sockets.https);
  // More sockets than threads, from a time with more of them: a thread takes several, since a
  // socket that nobody accepts from would keep its share of the clients waiting.
  const auto listen = [&](const std::vector<os::Fd>& listeners, bool tls) {
    for (std::size_t i = 0; i < listeners.size(); ++i) {
      Listener listener{.socket = os::Fd(::fcntl(listeners[i].get(), F_DUPFD_CLOEXEC, 3)),
                        .entrance = {port_of(listeners), tls, https_port},
                        .tls = tls ? &state.tls : nullptr};
      if (!listener.socket) fault("duplicate a listening socket");
      state.loops[i % state.loops.size()]->post_listen(std::move(listener));
    }
  };
  listen(sockets.http, false);
  listen(sockets.https, true);
}

void Proxy::set_certificates(const std::vector<net::NamedCertificate>& certificates) {
  std::vector<std::string> refused;
  state_->tls.use(std::make_shared<const net::TlsCertificates>(certificates, refused));
  for (const auto& why : refused) report("router", why);
}

Proxy::~Proxy() {
  for (auto& loop : state_->loops) loop->stop();
  for (auto& thread : state_->threads) thread.join();
}

void Proxy::set_table(RouteTable table) {
  drop_old_tables();
  const auto retiring = std::move(table.retiring);
  const auto before = this->table();
  TableDifference difference;
  const auto index = std::make_shared<const RouteIndex>(std::move(table), *before, difference);
  state_->publish(index, std::move(difference), retiring);
}

bool Proxy::change_table(TableChange change) {
  drop_old_tables();
  const auto before = table();
  if (change.from != before->generation()) return false;
  const auto retiring = std::move(change.retiring);
  TableDifference difference;
  const auto index = std::make_shared<const RouteIndex>(std::move(change), *before, difference);
  state_->publish(index, std::move(difference), retiring);
  return true;
}

void Proxy::State::publish(const std::shared_ptr<const RouteIndex>& index, TableDifference made,
                           const std::vector<std::string>& retiring) {
  auto difference = std::make_shared<const TableDifference>(std::move(made));
  // Ready before the lock is taken: loops may wait for it.
  std::unordered_map<std::string, Leaving> left;
  for (const auto& dyno : difference->left) left[dyno->dyno].state = dyno;
  std::uint64_t count = 0;
  {
    auto watched = watch.lock();
    auto& w = *watched;
    count = ++w.tables;
    w.old.push_back({count, std::exchange(w.current, index), difference});
    for (auto& [dyno, leaving] : left) {
      leaving.since = count;
      leaving.state->leaving.store(true);
      w.leaving.erase(dyno);
      w.unseen.emplace_back(count, dyno);
    }
    w.leaving.merge(left);
    for (const auto& dyno : retiring) {
      if (index->names_dyno(dyno)) continue;
      if (w.leaving.try_emplace(dyno, Leaving{count, nullptr}).second) {
        w.unseen.emplace_back(count, dyno);
      }
    }
    for (const auto& app : difference->is) {
      for (const auto& dyno : app->dynos) {
        if (w.leaving.erase(dyno.state->dyno) > 0) dyno.state->leaving.store(false);
      }
    }
    for (const auto& app : difference->idle) w.asleep.emplace_back(count, app);
  }
  const auto generation = index->generation();
  for (std::size_t i = 0; i < loops.size(); ++i) {
    loops[i]->post_table(index, difference,
                         [this, i, count, generation] { taken_over(i, count, generation); });
  }
}

std::shared_ptr<const RouteIndex> Proxy::table() const { return state_->watch.lock()->current; }

void Proxy::drop_old_tables() {
  std::vector<Old> dropped;  // once the lock is let go of
  auto watched = state_->watch.lock();
  const auto everywhere = watched->everywhere();
  std::erase_if(watched->old, [&](auto& old) {
    if (old.until > everywhere) return false;
    dropped.push_back(std::move(old));
    return true;
  });
}

void Proxy::drain(Idle idle, std::chrono::milliseconds limit, std::function<void()> done) {
  auto& state = *state_;
  state.draining = state.loops.size();
  for (auto& loop : state.loops) {
    loop->post_drain(idle, limit, [&state, done] {
      if (state.draining.fetch_sub(1) == 1) done();
    });
  }
}

namespace {

// What every loop tells, added up. `ask` has one of them told of.
template <class Figures, class Loops, class Ask>
void gather(const Loops& loops, std::function<void(Figures)> then, Ask ask) {
  struct Gathered {
    Figures all;
    std::size_t left;
  };
  const auto gathered = std::make_shared<Locked<Gathered>>();
  gathered->lock()->left = loops.size();
  for (auto& loop : loops) {
    ask(*loop, [gathered, then](Figures figures) {
      {
        auto now = gathered->lock();
        now->all.add(std::move(figures));
        if (--now->left > 0) return;
      }
      then(std::move(gathered->lock()->all));
    });
  }
}

}  // namespace

void Proxy::figures(std::function<void(RouterFigures)> then) {
  gather<RouterFigures>(state_->loops, std::move(then),
                        [](ProxyLoop& loop, auto tell) { loop.post_figures(std::move(tell)); });
}

void Proxy::turns(std::function<void(Durations)> then) {
  gather<Durations>(state_->loops, std::move(then),
                    [](ProxyLoop& loop, auto tell) { loop.post_turns(std::move(tell)); });
}

void Proxy::skip(std::chrono::milliseconds time) {
  const auto left = std::make_shared<std::latch>(static_cast<std::ptrdiff_t>(state_->loops.size()));
  for (auto& loop : state_->loops) loop->post_skip(time, [left] { left->count_down(); });
  left->wait();
}

}  // namespace renga::router
