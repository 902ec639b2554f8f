// RouteIndex: a route table made ready for lookups. Immutable, shared by every loop and swapped by
// pointer. The next one shares with it whatever has not changed, so that it costs what the change
// does. What must outlive a table is apart and carried over from one to the next by id: the
// counters of apps and the state of dynos, both atomics.
#pragma once

#include <netinet/in.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "router/name_map.h"
#include "router/table.h"

namespace renga::router {

struct DynoState {
  explicit DynoState(std::string id) : dyno(std::move(id)) {}
  const std::string dyno;
  std::atomic<int> under_way = 0;     // requests, connecting or being answered; pipes do not count
  std::atomic<bool> leaving = false;  // the newest table does not name it
  // steady_clock's nanoseconds until when nobody connects to it, because that has just failed.
  std::atomic<std::int64_t> quarantined_until = 0;

  bool quarantined(std::chrono::steady_clock::time_point now) const {
    return now.time_since_epoch().count() < quarantined_until.load(std::memory_order_relaxed);
  }
};

struct AppLoad {
  std::atomic<int> requests = 0;  // held or under way
  std::atomic<int> pipes = 0;     // upgraded: WebSockets
};

// A pipe is counted while there is one of these for it.
class PipeCount {
 public:
  explicit PipeCount(std::shared_ptr<AppLoad> load) : load_(std::move(load)) { ++load_->pipes; }
  ~PipeCount() { --load_->pipes; }
  PipeCount(const PipeCount&) = delete;
  PipeCount& operator=(const PipeCount&) = delete;

 private:
  std::shared_ptr<AppLoad> load_;
};

struct Dyno {
  std::string name;
  sockaddr_in address{};
  std::string affinity;  // see affinity.h; empty: the app has not asked for it
  std::shared_ptr<DynoState> state;
};

// One app as requests see it. A request under way holds on to it, and so not to the whole table.
struct App {
  Route route;
  std::vector<std::string> hosts;  // in lower case
  std::vector<Dyno> dynos;         // of route.backends, in their order
  std::shared_ptr<AppLoad> load;
  mutable std::atomic<bool> wake_asked = false;  // once for each time that it is idle
};

// How a table differs from the one before.
struct TableDifference {
  std::vector<std::shared_ptr<const App>> was;   // apps as they were, that are gone or changed
  std::vector<std::shared_ptr<const App>> is;    // new, or changed
  std::vector<std::shared_ptr<const App>> idle;  // changed, and asleep
  std::vector<std::shared_ptr<DynoState>> left;  // not named any more
};

class RouteIndex {
 public:
  RouteIndex() = default;  // of an empty table
  // Each takes over from `before` the state of apps and dynos that are in both, and tells what is
  // different. A change is taken to be one of `before`.
  RouteIndex(RouteTable table, const RouteIndex& before, TableDifference& difference);
  RouteIndex(TableChange change, const RouteIndex& before, TableDifference& difference);

  // `host` as in the Host header: any case, with or without port and final dot. The exact name
  // first, then the longest wildcard. Does not allocate.
  const std::shared_ptr<const App>* find(std::string_view host) const;
  const std::shared_ptr<const App>* find_app(std::string_view id) const { return apps_.find(id); }
  // What is answered to this request target; none: it is an app's to answer.
  const std::string* challenge(std::string_view target) const;
  bool names_dyno(std::string_view id) const { return dynos_.find(id) != nullptr; }
  std::uint64_t generation() const { return generation_; }

 private:
  class Making;

  std::uint64_t generation_ = 0;
  NameMap<std::shared_ptr<const App>> hosts_;
  NameMap<std::shared_ptr<const App>> apps_;
  NameMap<std::shared_ptr<DynoState>> dynos_;
  std::map<std::string, std::string, std::less<>> challenges_;
};

}  // namespace renga::router
