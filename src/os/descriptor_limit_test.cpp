#include "os/descriptor_limit.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace renga::os {
namespace {

std::size_t size_of_the_kernels_table() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "FDSize:") continue;
    std::size_t size = 0;
    status >> size;
    return size;
  }
  return 0;
}

TEST(DescriptorLimit, MakesRoomBeforeDescriptorsAreOpened) {
  const auto before = size_of_the_kernels_table();
  ASSERT_GT(before, 0U);
  ASSERT_GE(allow_descriptors(2 * before), 2 * before);
  make_room_for_descriptors(2 * before);
  EXPECT_GE(size_of_the_kernels_table(), 2 * before);
}

}  // namespace
}  // namespace renga::os
