#include "releases/shared_work.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

namespace renga::releases {
namespace {

TEST(SharedWork, DoesEveryPieceOfEveryBatch) {
  for (const unsigned helpers : {0U, 1U, 3U}) {
    SharedWork work(helpers);
    std::atomic<int> done = 0;
    SharedWork::Batch outer(work);
    for (int i = 0; i < 1'000; ++i) outer.add([&] { ++done; });
    {
      std::atomic<int> inside = 0;
      SharedWork::Batch inner(work);
      for (int i = 0; i < 10; ++i) inner.add([&] { ++inside; });
      inner.finish();
      EXPECT_EQ(inside, 10);
    }
    outer.finish();
    EXPECT_EQ(done, 1'000);
  }
}

TEST(SharedWork, PassesOnTheFirstFaultAndDoesTheRest) {
  SharedWork work(2);
  std::atomic<int> done = 0;
  SharedWork::Batch batch(work);
  for (int i = 0; i < 20; ++i)
    batch.add([&done, i] {
      ++done;
      if (i == 7) throw std::runtime_error("seven");
    });
  EXPECT_THROW(batch.finish(), std::runtime_error);
  EXPECT_EQ(done, 20);
  batch.finish();
}

TEST(SharedWork, ABatchThatIsLeftIsDoneFirst) {
  SharedWork work(1);
  std::atomic<int> done = 0;
  {
    SharedWork::Batch batch(work);
    for (int i = 0; i < 50; ++i) batch.add([&] { ++done; });
  }
  EXPECT_EQ(done, 50);
}

}  // namespace
}  // namespace renga::releases
