// RouteIndex: a route table made ready for lookups. Immutable, shared by every loop and swapped by
// pointer. What must outlive a table is apart and carried over from one to the next by id: the
// counters of apps and the state of dynos, both atomics.
#pragma once

#include <netinet/in.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

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
  std::vector<Dyno> dynos;  // of route.backends, in their order
  std::shared_ptr<AppLoad> load;
  mutable std::atomic<bool> wake_asked = false;  // once for each time that it is idle
};

class RouteIndex {
 public:
  // Takes over from `before` (or nothing) the state of apps and dynos that are in both.
  RouteIndex(RouteTable table, const RouteIndex* before);

  // `host` as in the Host header: any case, with or without port and final dot. The exact name
  // first, then the longest wildcard. Does not allocate.
  const std::shared_ptr<const App>* find(std::string_view host) const;
  const std::shared_ptr<const App>* find_app(std::string_view id) const;
  // Those that are idle, and have requests or pipes under way all the same.
  std::vector<std::shared_ptr<const App>> apps_in_use() const;
  // What is answered to this request target; none: it is an app's to answer.
  const std::string* challenge(std::string_view target) const;
  const std::unordered_map<std::string, std::shared_ptr<DynoState>>& dynos() const {
    return dynos_;
  }
  std::uint64_t generation() const { return generation_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  template <class Value>
  using ByName = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

  std::uint64_t generation_;
  ByName<std::shared_ptr<const App>> hosts_;
  ByName<std::shared_ptr<const App>> apps_;
  ByName<std::string> challenges_;
  std::vector<std::shared_ptr<const App>> idle_;  // those of apps_ whose route says so
  std::unordered_map<std::string, std::shared_ptr<DynoState>> dynos_;
};

}  // namespace renga::router
