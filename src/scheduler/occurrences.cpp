// When a schedule is due next. Two ways, for the two things people mean. A schedule of every hour
// ("*/10 * * * *") goes with real time: each minute of UTC is looked at in the zone's clock. One of
// fixed hours ("30 2 * * *") goes with the clock on the wall: each local day's times are turned
// into UTC; one that a change of clocks leaves out is due at the change, one that comes twice is
// due the first time.
#include <date/tz.h>

#include "scheduler/schedule.h"

namespace renga::scheduler {

namespace {
using Minute = std::chrono::sys_time<std::chrono::minutes>;
using LocalMinute = date::local_time<std::chrono::minutes>;
// Eight years reach every 29 February, also over a century's end; a day more for the zone.
constexpr int most_days = 366 * 8 + 2;
}  // namespace

class Occurrences {
 public:
  explicit Occurrences(const Schedule& schedule)
      : schedule_(schedule), zone_(date::locate_zone(schedule.zone_)) {}

  std::optional<Time> next(Time after) const {
    const auto start = std::chrono::floor<std::chrono::minutes>(after) + std::chrono::minutes(1);
    return schedule_.hours_.all() ? in_real_time(start) : on_the_wall(start);
  }

 private:
  bool is_day(date::local_days day) const {
    const date::year_month_day parts(day);
    if (!schedule_.months_[unsigned(parts.month())]) return false;
    const bool day_fits = schedule_.days_[unsigned(parts.day())];
    const bool weekday_fits = schedule_.weekdays_[date::weekday(day).c_encoding()];
    if (schedule_.any_day_ || schedule_.any_weekday_) return day_fits && weekday_fits;
    return day_fits || weekday_fits;
  }

  std::optional<Time> in_real_time(Minute at) const {
    for (int days = 0; days < most_days;) {
      const auto info = zone_->get_info(at);
      const auto local =
          date::local_time<std::chrono::seconds>(at.time_since_epoch() + info.offset);
      const auto day = std::chrono::floor<date::days>(local);
      if (!is_day(day)) {
        const auto midnight = to_utc(LocalMinute(day + date::days(1)));
        at = std::max(midnight, at + std::chrono::minutes(1));
        ++days;
        continue;
      }
      // To the end of this day, or of what the zone's offset holds for.
      for (; at < info.end; at += std::chrono::minutes(1)) {
        const auto now =
            date::local_time<std::chrono::seconds>(at.time_since_epoch() + info.offset);
        if (std::chrono::floor<date::days>(now) != day) break;
        const auto minute =
            std::chrono::floor<std::chrono::minutes>(now).time_since_epoch().count() % 60;
        if (schedule_.minutes_[static_cast<std::size_t>((minute + 60) % 60)]) return Time(at);
      }
      ++days;
    }
    return std::nullopt;
  }

  std::optional<Time> on_the_wall(Minute start) const {
    const auto info = zone_->get_info(start);
    const auto local =
        date::local_time<std::chrono::seconds>(start.time_since_epoch() + info.offset);
    auto day = std::chrono::floor<date::days>(local) - date::days(1);
    for (int days = 0; days < most_days; ++days, day += date::days(1)) {
      if (!is_day(day)) continue;
      for (int hour = 0; hour < 24; ++hour) {
        if (!schedule_.hours_[static_cast<std::size_t>(hour)]) continue;
        for (int minute = 0; minute < 60; ++minute) {
          if (!schedule_.minutes_[static_cast<std::size_t>(minute)]) continue;
          const auto at =
              to_utc(LocalMinute(day) + std::chrono::hours(hour) + std::chrono::minutes(minute));
          if (at >= start) return Time(at);
        }
      }
    }
    return std::nullopt;
  }

  Minute to_utc(LocalMinute local) const {
    const auto info = zone_->get_info(local);
    if (info.result == date::local_info::nonexistent)
      return std::chrono::ceil<std::chrono::minutes>(info.first.end);
    return std::chrono::floor<std::chrono::minutes>(
        std::chrono::sys_seconds(local.time_since_epoch() - info.first.offset));
  }

  const Schedule& schedule_;
  const date::time_zone* zone_;
};

std::optional<Time> Schedule::next(Time after) const { return Occurrences(*this).next(after); }

}  // namespace renga::scheduler
