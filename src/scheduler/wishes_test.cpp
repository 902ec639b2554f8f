#include "scheduler/wishes.h"

#include <gmock/gmock.h>

namespace renga::scheduler {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Wishes, ReadsWhatAppJsonAsksFor) {
  const auto [all, errors] = wishes_of(R"({"name": "x", "cron": [
    {"command": " ./fetch ", "schedule": "every 10 minutes"},
    {"command": "./report", "schedule": "daily at 8:30", "time_zone": "Europe/Berlin",
     "size": "Standard-1X", "overlap": "queue"}]})");
  EXPECT_THAT(errors, IsEmpty());
  EXPECT_THAT(all, ElementsAre(Wish{"./fetch", "every 10 minutes"},
                               Wish{"./report", "daily at 8:30", "Europe/Berlin", "Standard-1X",
                                    Overlap::queue}));
}

TEST(Wishes, AnEnvironmentsCronReplacesTheFiles) {
  constexpr auto file = R"({"cron": [{"command": "a", "schedule": "@daily"}],
    "environments": {"review": {"cron": []}, "test": {}}})";
  EXPECT_EQ(wishes_of(file).all.size(), 1U);
  EXPECT_EQ(wishes_of(file, "test").all.size(), 1U);
  EXPECT_EQ(wishes_of(file, "review").all.size(), 0U);
}

TEST(Wishes, NamesEveryMistake) {
  const auto errors = wishes_of(R"({"cron": [{"command": "", "schedule": "61 * * * *"}, 7,
    {"comand": "x", "command": 1, "schedule": "@daily", "overlap": "never", "time_zone": "Mars"}]})")
                          .errors;
  EXPECT_THAT(errors,
              ElementsAre(HasSubstr("cron[0]: it has no command"), HasSubstr("minute"),
                          HasSubstr("cron[1] must be an object"), HasSubstr("comand is not known"),
                          HasSubstr("command must be a string"), HasSubstr("skip, queue or allow"),
                          HasSubstr("no command"), HasSubstr("no time zone")));
  EXPECT_THAT(wishes_of("{").errors, ElementsAre(HasSubstr("line 1: not valid JSON")));
  EXPECT_THAT(wishes_of(R"({"cron": {}})").errors, ElementsAre(HasSubstr("must be an array")));
  EXPECT_THAT(wishes_of(std::string(70'000, ' ')).errors, ElementsAre(HasSubstr("64 KiB")));
  EXPECT_THAT(wishes_of("{}").errors, IsEmpty());
}

}  // namespace
}  // namespace renga::scheduler
