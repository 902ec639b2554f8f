#include "local/jobs.h"

#include <gmock/gmock.h>

namespace renga::local {
namespace {

using namespace std::chrono_literals;
using What = Jobs::Due::What;

class LocalJobs : public testing::Test {
 protected:
  Jobs jobs_with(scheduler::Overlap overlap) {
    return Jobs({{"a", "* * * * *", "UTC", "", overlap}, {"b", "61 * * * *"}}, now);
  }
  std::vector<What> reach(Jobs& jobs, Duration by, bool goes) {
    now += by;
    std::vector<What> all;
    for (const auto& due : jobs.reach(now, [&](const std::string&) { return goes; }))
      all.push_back(due.what);
    return all;
  }
  Time now = parse_rfc3339("2026-01-05T10:00:00Z").value();
};

TEST_F(LocalJobs, AreDueOnceHoweverLongNobodyLooked) {
  auto jobs = jobs_with(scheduler::Overlap::skip);
  ASSERT_EQ(jobs.all().size(), 1U);  // what makes no sense is not there
  EXPECT_EQ(jobs.sleep(now), Duration(60s));
  EXPECT_THAT(reach(jobs, 30s, false), testing::IsEmpty());
  EXPECT_THAT(reach(jobs, 1h, false), testing::ElementsAre(What::run));
  EXPECT_THAT(reach(jobs, 1s, false), testing::IsEmpty());
}

TEST_F(LocalJobs, OverlapAsTheirPolicySays) {
  auto skips = jobs_with(scheduler::Overlap::skip);
  EXPECT_THAT(reach(skips, 1min, true), testing::ElementsAre(What::skip));
  EXPECT_THAT(reach(skips, 1s, false), testing::IsEmpty());
  auto allows = jobs_with(scheduler::Overlap::allow);
  EXPECT_THAT(reach(allows, 1min, true), testing::ElementsAre(What::run));
  auto queues = jobs_with(scheduler::Overlap::queue);
  EXPECT_THAT(reach(queues, 1min, true), testing::ElementsAre(What::queue));
  EXPECT_THAT(reach(queues, 1s, true), testing::IsEmpty());
  EXPECT_THAT(reach(queues, 1s, false), testing::ElementsAre(What::run));
  EXPECT_THAT(reach(queues, 1s, false), testing::IsEmpty());
}

}  // namespace
}  // namespace renga::local
