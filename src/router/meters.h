// Meters: where one loop counts its requests. Nothing in here is shared: whoever wants to know asks
// the loop, which copies. Bounded: beyond `most` the apps and dynos that come new share one meter.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "router/figures.h"
#include "router/route_index.h"

namespace renga::router {

struct HCode;

// Of one app and dyno. Counted in from the request's begin to its end; stays where it is as long.
class Meter {
 public:
  void begin() { ++figures_.active; }
  void end() { --figures_.active; }
  void count(int status, const HCode* code, std::uint64_t bytes_in, std::uint64_t bytes_out);
  void took(std::chrono::microseconds time) { figures_.took.count(time); }

 private:
  friend class Meters;
  std::string name_;
  Figures figures_;
};

// Belongs to its loop's thread.
class Meters {
 public:
  explicit Meters(std::size_t most) : most_(most) {}

  Meter& of(const App& app);  // while no dyno has got the request
  Meter& of(const App& app, const Dyno& dyno);
  // An app as a table before had it. One that has another name now is counted on under that one;
  // one that the newest no longer has is forgotten altogether, once nothing of it is under way:
  // forget_idle() looks at those again that were busy.
  void forget(const App& was, const RouteIndex& newest);
  void forget_idle(const RouteIndex& newest);
  RouterFigures read() const;

  std::uint64_t accepted = 0;
  std::uint64_t unrouted = 0;

 private:
  Meter& find(const App& app, const std::string& dyno);
  void rename(const App& app);
  bool erase(const std::string& app);

  std::size_t most_;
  std::map<std::pair<std::string, std::string>, std::unique_ptr<Meter>> meters_;
  Meter rest_;
  // Short ways to them, by load or state, until a table changes the app.
  std::unordered_map<const void*, Meter*> known_;
  std::set<std::string> gone_;  // apps that the newest table does not have, and that were busy
};

}  // namespace renga::router
