// What app.json asks to be run at set times, read strictly:
//   "cron": [{"command": "./fetch", "schedule": "daily at 8:30", "time_zone": "Europe/Berlin"}]
// Values; safe from any thread.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "scheduler/jobs.h"

namespace renga::scheduler {

struct Wish {
  std::string command;
  std::string schedule;  // Schedule::parse() takes it with the zone
  std::string time_zone = "UTC";
  std::string size = {};  // of its dynos; empty: the default
  Overlap overlap = Overlap::skip;
  bool operator==(const Wish&) const = default;
};

struct Wishes {
  std::vector<Wish> all;
  std::vector<std::string> errors;  // sentences; none: `all` is what the file says
};

constexpr std::size_t most_wishes = 100;
constexpr std::size_t longest_command = 4'096;  // bytes

// The value of "cron" alone.
Wishes read_wishes(const boost::json::value& cron);
// A whole app.json, of which nothing else is looked at. `environment`: "" or one of `environments`,
// whose "cron" is then taken instead, if it has one.
Wishes wishes_of(std::string_view app_json, std::string_view environment = {});

}  // namespace renga::scheduler
