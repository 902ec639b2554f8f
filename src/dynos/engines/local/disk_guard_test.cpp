#include "dynos/engines/local/disk_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

namespace renga::dynos {
namespace {

using testing::HasSubstr;

// A disk on which there is what a test says.
class DiskGuardTest : public testing::Test {
 protected:
  struct World {
    std::map<std::string, std::int64_t> written;
    std::map<std::string, std::string> named;
    bool busy = false;
    int looks = 0;
  };

  // Asks for at most 10 s.
  bool eventually(const std::function<bool(World&)>& condition) {
    for (int tries = 0; tries < 1'000; ++tries) {
      if (condition(*world.lock())) return true;
      usleep(10'000);
    }
    return false;
  }

  Locked<World> world;
  std::atomic<bool> nearly_full = false, removing = false;
  DiskGuard guard{{.directory = "/tmp",
                   .written = [this](const std::string& dyno,
                                     std::int64_t) { return world.lock()->written[dyno]; },
                   .over =
                       [this](const std::string& dyno, const std::string& why) {
                         auto now = world.lock();
                         if (now->busy) return now->busy = false;
                         EXPECT_FALSE(now->named.contains(dyno)) << "named twice";
                         now->named[dyno] = why;
                         now->written.erase(dyno);
                         return true;
                       },
                   .nearly_full =
                       [this] {
                         ++world.lock()->looks;
                         return nearly_full.load();
                       },
                   .removing = [this] { return removing.load(); },
                   .between_rooms = std::chrono::seconds(0)}};
};

TEST_F(DiskGuardTest, NamesWhoeverHasTheMostOfAFullDisk) {
  world.lock()->written = {{"a", 20 << 20}, {"b", 60 << 20}, {"c", 1 << 20}, {"d", 90 << 20}};
  for (const auto* dyno : {"a", "b", "c", "d"}) guard.watch(dyno, "Standard-1X", 8LL << 30);
  guard.forget("d");
  world.lock()->busy = true;
  nearly_full = true;
  EXPECT_TRUE(eventually([](World& now) { return now.named.contains("b"); }));
  EXPECT_THAT(world.lock()->named.at("b"), HasSubstr("this one has the most on it: 60 MB"));
  EXPECT_FALSE(world.lock()->named.contains("a")) << "not before there was time to make room";
}

TEST_F(DiskGuardTest, NamesTheNextWhenWhatTheFirstWroteIsRemoved) {
  world.lock()->written = {{"a", 20 << 20}, {"b", 60 << 20}};
  for (const auto* dyno : {"a", "b"}) guard.watch(dyno, "Standard-1X", 8LL << 30);
  nearly_full = true;
  EXPECT_TRUE(eventually([](World& now) { return now.named.contains("b"); }));
  const auto looks_on = [this] {
    world.lock()->looks = 0;
    return eventually([](World& now) { return now.looks > 3; });
  };
  EXPECT_TRUE(looks_on());
  EXPECT_FALSE(world.lock()->named.contains("a")) << "the first one has not ended";
  removing = true;
  guard.forget("b");
  EXPECT_TRUE(looks_on());
  EXPECT_FALSE(world.lock()->named.contains("a")) << "its files are not removed";
  removing = false;
  EXPECT_TRUE(eventually([](World& now) { return now.named.contains("a"); }));
}

TEST_F(DiskGuardTest, NamesOneThatHasMoreThanItsSizeMay) {
  world.lock()->written = {{"a", 20 << 20}, {"b", 60 << 20}};
  guard.watch("a", "Standard-1X", 30 << 20);
  guard.watch("b", "Tiny", 0);
  EXPECT_TRUE(eventually([](World& now) { return now.named.contains("b"); }));
  EXPECT_THAT(world.lock()->named.at("b"),
              HasSubstr("Error (Disk quota exceeded) -> More than 0 MB were written to /app, which "
                        "is all that a Tiny dyno may have on the disk"));
  EXPECT_FALSE(world.lock()->named.contains("a"));
}

}  // namespace
}  // namespace renga::dynos
