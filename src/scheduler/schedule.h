// Schedule: when a job is due: a cron expression of five fields (minute, hour, day of the month,
// month, day of the week), or words as Heroku's Scheduler has them, in a time zone. A value; safe
// from any thread.
#pragma once

#include <bitset>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace renga::scheduler {

class Schedule {
 public:
  // "*/10 * * * *", "30 8 * * mon-fri", "@daily"; "every 10 minutes", "hourly at 20", "daily at
  // 8:30". `time_zone` is a name of the tz database ("Europe/Berlin"), or UTC. Fields take *,
  // lists, ranges, steps, and English names of months and days; 7 is Sunday as well. With both days
  // restricted, either is enough, as in cron(8). Kind::invalid says what is wrong with which field.
  static Result<Schedule> parse(std::string_view text, std::string_view time_zone);

  // The first minute after `after` at which it is due; nothing when there is none (30 February).
  std::optional<Time> next(Time after) const;

 private:
  friend class Occurrences;
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;     // of the month: 1 to 31
  std::bitset<13> months_;   // 1 to 12
  std::bitset<7> weekdays_;  // Sunday is 0
  bool any_day_ = false;     // the field began with *
  bool any_weekday_ = false;
  std::string zone_;
};

}  // namespace renga::scheduler
