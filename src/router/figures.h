// Figures: what the router counts of requests, as values: of one dyno of one app (or of an app's
// requests that no dyno got), on one loop or on all of them together. Everything counts up from the
// router's start, but what is active.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace renga::router {

// How long requests took, from their head to the answer's end.
struct Durations {
  // Upper bounds in milliseconds; one more count is for what took longer than all of them.
  static constexpr std::array<std::uint32_t, 21> bounds = {
      1,   2,   3,   5,   7,    10,   15,   20,    30,    50,   70,
      100, 200, 300, 500, 1000, 2000, 5000, 10000, 30000, 60000};
  std::array<std::uint64_t, bounds.size() + 1> counts{};
  std::uint64_t microseconds = 0;  // of all

  void count(std::chrono::microseconds took);
  void add(const Durations& other);
  std::uint64_t total() const;
  // Milliseconds within which this share (0 to 1) of them was answered, as near as the bounds tell;
  // 0 when there were none.
  double quantile(double share) const;
  bool operator==(const Durations&) const = default;
};

struct Figures {
  std::array<std::uint64_t, 6> answers{};  // by the status's first digit; 0: it had none
  std::uint64_t bytes_in = 0;              // bodies, without framing
  std::uint64_t bytes_out = 0;
  std::int64_t active = 0;                      // requests and pipes under way
  std::map<std::string, std::uint64_t> errors;  // by the router's own code: H12
  Durations took;                               // pipes are not among them

  void add(const Figures& other);
  std::uint64_t requests() const;
  bool operator==(const Figures&) const = default;
};

struct DynoFigures {
  std::string app;   // UUID; empty: of apps beyond those that are counted apart
  std::string name;  // of the app
  std::string dyno;  // "web.1"; empty: no dyno got them
  Figures figures;
  bool operator==(const DynoFigures&) const = default;
};

struct RouterFigures {
  std::vector<DynoFigures> dynos;                      // one for each app and dyno
  std::uint64_t accepted = 0;                          // client connections
  std::uint64_t http1_clients = 0, http2_clients = 0;  // that stand now
  std::uint64_t unrouted = 0;  // requests for a host that nobody has, or that were malformed

  void add(RouterFigures other);
  bool operator==(const RouterFigures&) const = default;
};

std::string to_json(const RouterFigures& figures);
Result<RouterFigures> parse_figures(std::string_view json);

// Prometheus' text format 0.0.4.
inline constexpr std::string_view prometheus_type = "text/plain; version=0.0.4; charset=utf-8";
std::string prometheus_text(const RouterFigures& figures);

}  // namespace renga::router
