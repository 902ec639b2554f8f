#include "router/pending.h"

#include <gtest/gtest.h>

namespace renga::router {
namespace {

TEST(Pending, GivesABigBufferBackOnceAllIsSent) {
  Pending pending;
  pending.append(std::string(60'000, 'x'));
  pending.take(60'000);
  EXPECT_LT(pending.text().capacity(), 5'000U);
  pending.append("again");
  EXPECT_EQ(pending.left(), "again");
}

}  // namespace
}  // namespace renga::router
