#include "dynos/rollout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace renga::dynos {
namespace {

using testing::HasSubstr;

Dyno web(int version, State state) {
  Dyno dyno;
  dyno.release = {"release-" + std::to_string(version)};
  dyno.release_version = version;
  dyno.type = "web";
  dyno.number = 1;
  dyno.state = state;
  return dyno;
}

// Of v4, with these dynos as long as somebody waits, which ends after a few looks.
std::string watch(const std::vector<Dyno>& dynos) {
  int looks = 3;
  return watch_rollout([&] { return dynos; }, {"release-4"}, [&] { return --looks >= 0; });
}

TEST(Rollout, SaysWhatDoesNotComeUpAndWhatServes) {
  auto failed = web(4, State::crashed);
  failed.exit_status = 3;
  EXPECT_EQ(watch({web(3, State::up), failed}),
            " !     Release v4 does not come up: web.1 exited with status 3. v3 keeps serving.\n"
            " !     Its log says more: renga logs --dyno web.1\n");
  failed.exit_status.reset();
  EXPECT_THAT(watch({web(3, State::up), failed}), HasSubstr("web.1 could not be started."));
}

TEST(Rollout, HasNothingToSayOfOneThatIsUpOrIsTheFirst) {
  EXPECT_EQ(watch({web(3, State::up), web(4, State::up)}), "");
  EXPECT_EQ(watch({web(4, State::crashed)}), "") << "nothing serves that would go on";
  EXPECT_EQ(watch({web(3, State::up), web(4, State::starting)}), "") << "nobody waits any more";
}

}  // namespace
}  // namespace renga::dynos
