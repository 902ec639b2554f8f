// DrainCourier: delivers to all drains from one thread. Each drain has its own backlog, connection
// and back-off, so that one that hangs, refuses or speaks garbage delays nothing but itself.
// Private to this room: see drains.h.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "logs/drain_backlog.h"
#include "net/destinations.h"

namespace renga::logs {

struct DrainCourierOptions {
  net::Destinations destinations;
  std::string ca_file;  // PEM to trust; empty: the system's
  DrainLimits limits;
  std::chrono::milliseconds gather{1'000};  // between two frames of one drain
  std::chrono::milliseconds connect_limit{5'000};
  std::chrono::milliseconds answer_limit{
      10'000};                                 // of a whole request, or of syslog without progress
  std::chrono::milliseconds first_retry{250};  // doubles with each failure
  std::chrono::milliseconds longest_retry{60'000};
  int most_answers = 8;  // refusals (429, 5xx) of one frame by an HTTP server, then it is dropped
  std::chrono::milliseconds idle{120'000};  // then a syslog connection is closed
};

// What the courier needs to know of a drain.
struct DrainTarget {
  std::string id;
  Id<apps::App> app;
  std::string token;
  DrainUrl url;
  std::uint64_t place = 0;
};

class DrainCourier {
 public:
  DrainCourier(LogStore& store, Clock& clock, DrainCourierOptions options);
  // Gives frames under way up; they are sent again from places().
  ~DrainCourier();
  DrainCourier(const DrainCourier&) = delete;
  DrainCourier& operator=(const DrainCourier&) = delete;

  // From any thread; takes effect soon.
  void add(DrainTarget target);
  void remove(const std::string& id);
  // How far each drain has got, by id. From any thread.
  std::map<std::string, std::uint64_t> places();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::logs
