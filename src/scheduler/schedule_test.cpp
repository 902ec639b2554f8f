#include "scheduler/schedule.h"

#include <date/tz.h>
#include <gtest/gtest.h>

#include <random>

namespace renga::scheduler {
namespace {

Time at(const char* text) { return parse_rfc3339(text).value(); }

std::string next(const char* schedule, const char* after, const char* zone = "UTC") {
  const auto parsed = Schedule::parse(schedule, zone);
  if (!parsed) return parsed.error().message;
  const auto found = parsed->next(at(after));
  return found ? rfc3339(*found) : "never";
}

TEST(Schedule, KnowsCronsFields) {
  EXPECT_EQ(next("* * * * *", "2026-01-05T10:00:00Z"), "2026-01-05T10:01:00Z");
  EXPECT_EQ(next("* * * * *", "2026-01-05T10:00:59Z"), "2026-01-05T10:01:00Z");
  EXPECT_EQ(next("*/10 * * * *", "2026-01-05T10:50:00Z"), "2026-01-05T11:00:00Z");
  EXPECT_EQ(next("5/20 * * * *", "2026-01-05T10:26:00Z"), "2026-01-05T10:45:00Z");
  EXPECT_EQ(next("30 8 * * mon-fri", "2026-01-09T08:30:00Z"), "2026-01-12T08:30:00Z");
  EXPECT_EQ(next("0 0 29 2 *", "2026-01-05T10:00:00Z"), "2028-02-29T00:00:00Z");
  EXPECT_EQ(next("0 0 29 feb *", "2096-03-01T00:00:00Z"), "2104-02-29T00:00:00Z");
  EXPECT_EQ(next("0 0 30 2 *", "2026-01-05T10:00:00Z"), "never");
  EXPECT_EQ(next("15,45 1-3/2 1 * *", "2026-01-05T10:00:00Z"), "2026-02-01T01:15:00Z");
  // Both days restricted: either is enough. Sunday is 0 and 7.
  EXPECT_EQ(next("0 0 13 * 5", "2026-01-05T10:00:00Z"), "2026-01-09T00:00:00Z");
  EXPECT_EQ(next("0 0 * * 7", "2026-01-05T10:00:00Z"), "2026-01-11T00:00:00Z");
  EXPECT_EQ(next("0 0 * * 5-7", "2026-01-10T10:00:00Z"), "2026-01-11T00:00:00Z");
}

TEST(Schedule, KnowsHerokusWords) {
  EXPECT_EQ(next("Every 10 minutes", "2026-01-05T10:01:00Z"), "2026-01-05T10:10:00Z");
  EXPECT_EQ(next("hourly at 20", "2026-01-05T10:20:00Z"), "2026-01-05T11:20:00Z");
  EXPECT_EQ(next("hourly at :20", "2026-01-05T10:00:00Z"), "2026-01-05T10:20:00Z");
  EXPECT_EQ(next("daily at 8:30", "2026-01-05T10:00:00Z"), "2026-01-06T08:30:00Z");
  EXPECT_EQ(next("@daily", "2026-01-05T10:00:00Z"), "2026-01-06T00:00:00Z");
}

TEST(Schedule, FollowsItsZonesClock) {
  EXPECT_EQ(next("0 9 * * *", "2026-01-05T10:00:00Z", "Europe/Berlin"), "2026-01-06T08:00:00Z");
  EXPECT_EQ(next("0 9 * * *", "2026-07-05T10:00:00Z", "Europe/Berlin"), "2026-07-06T07:00:00Z");
  EXPECT_EQ(next("0 9 * * *", "2026-01-05T10:00:00Z", "Asia/Kathmandu"), "2026-01-06T03:15:00Z");
  EXPECT_EQ(next("30 * * * *", "2026-01-05T10:00:00Z", "Asia/Kathmandu"), "2026-01-05T10:45:00Z");
}

// 29 March 2026: 02:00 is 03:00. 25 October: 03:00 is 02:00 again.
TEST(Schedule, KnowsWhatToDoWhenClocksChange) {
  const auto* berlin = "Europe/Berlin";
  EXPECT_EQ(next("30 2 * * *", "2026-03-28T12:00:00Z", berlin), "2026-03-29T01:00:00Z");
  EXPECT_EQ(next("30 2 * * *", "2026-03-29T01:00:00Z", berlin), "2026-03-30T00:30:00Z");
  EXPECT_EQ(next("30 2 * * *", "2026-10-24T12:00:00Z", berlin), "2026-10-25T00:30:00Z");
  EXPECT_EQ(next("30 2 * * *", "2026-10-25T00:30:00Z", berlin), "2026-10-26T01:30:00Z");
  EXPECT_EQ(next("*/30 * * * *", "2026-10-25T00:30:00Z", berlin), "2026-10-25T01:00:00Z");
  EXPECT_EQ(next("*/30 * * * *", "2026-03-29T00:30:00Z", berlin), "2026-03-29T01:00:00Z");
}

TEST(Schedule, RefusesWhatIsNone) {
  for (const auto* text : {"",
                           "* * * *",
                           "* * * * * *",
                           "60 * * * *",
                           "* 24 * * *",
                           "* * 0 * *",
                           "* * 32 * *",
                           "* * * 13 *",
                           "* * * * 8",
                           "*/0 * * * *",
                           "*/-1 * * * *",
                           "*/60 * * * *",
                           "5-1 * * * *",
                           "1,,2 * * * *",
                           "a * * * *",
                           "* * * foo *",
                           "1- * * * *",
                           "-1 * * * *",
                           "*5 * * * *",
                           "1/ * * * *",
                           "* * * * mon-",
                           "daily at",
                           "daily at 25:00",
                           "hourly at 61",
                           "@reboot",
                           "hourly at -5",
                           "99999999999999999999 * * * *",
                           "+5 * * * *",
                           "*/+5 * * * *"})
    EXPECT_FALSE(Schedule::parse(text, "UTC")) << text;
  EXPECT_FALSE(Schedule::parse(std::string(10'000, '*'), "UTC"));
  for (const auto* zone : {"", "Nowhere/City", "../../etc/passwd", "/etc/passwd", "UTC\n"})
    EXPECT_FALSE(Schedule::parse("* * * * *", zone)) << zone;
}

// Whatever is accepted: next() is later, on a minute, and nothing in between is due.
TEST(Schedule, HoldsForAnything) {
  std::mt19937 random(7);
  const std::string alphabet = "0123456789*/,- monfebj";
  const char* zones[] = {
      "UTC",          "Europe/Berlin",    "America/St_Johns", "Australia/Lord_Howe",
      "Pacific/Apia", "Africa/Casablanca"};
  int accepted = 0;
  const auto field = [&](int least, int most) {
    const auto value = [&] {
      return std::to_string(least + int(random() % unsigned(most - least + 1)));
    };
    switch (random() % 5) {
      case 0:
        return std::string("*");
      case 1:
        return "*/" + std::to_string(1 + random() % unsigned(most));
      case 2:
        return value() + "," + value();
      default:
        return value();
    }
  };
  for (int i = 0; i < 3'000; ++i) {
    std::string text;
    if (i % 2 == 0) {
      for (auto left = random() % 30; left > 0; --left)
        text += alphabet[random() % alphabet.size()];
    } else {
      text = field(0, 59) + ' ' + field(0, 23) + ' ' + field(1, 31) + ' ' + field(1, 12) + ' ' +
             field(0, 7);
    }
    const auto schedule = Schedule::parse(text, zones[random() % std::size(zones)]);
    if (!schedule) continue;
    ++accepted;
    // Around the changes of clocks as well as anywhere.
    const auto start = at(i % 3 == 0 ? "2026-10-24T20:00:00Z" : "2026-03-28T20:00:00Z") +
                       std::chrono::seconds(random() % 1'000'000);
    const auto found = schedule->next(start);
    if (!found) continue;
    EXPECT_GT(*found, start) << text;
    EXPECT_EQ(to_micros(*found) % 60'000'000, 0) << text;
    const auto again = schedule->next(*found - std::chrono::seconds(1));
    ASSERT_TRUE(again) << text;
    EXPECT_EQ(*again, *found) << text;
    if (*found - start > std::chrono::minutes(2)) {
      const auto middle = start + (*found - start) / 2;
      EXPECT_EQ(schedule->next(middle), found) << text;
    }
  }
  EXPECT_GT(accepted, 1'000);
}

}  // namespace
}  // namespace renga::scheduler
