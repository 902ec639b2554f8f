#include "sandbox/log_ring.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <thread>

#include "os/fd.h"
#include "sandbox/testing/log_memory.h"

namespace renga::sandbox {
namespace {

struct LogRingTest : testing::Test {
  std::shared_ptr<LogRing> ring = std::make_shared<LogRing>();
  LogRingWriter writer{*ring};

  void write(const std::string& bytes) {
    writer.put(bytes.data(), bytes.size());
    writer.publish();
  }
  static std::string read(LogRingReader& reader) {
    std::string bytes;
    EXPECT_TRUE(reader.read(bytes));
    return bytes;
  }
};

TEST_F(LogRingTest, KeepsWhatWasReadUntilItIsReleased) {
  LogRingReader reader(ring);
  write("one ");
  write("two ");
  EXPECT_EQ(read(reader), "one two ");
  write("three");
  EXPECT_EQ(read(reader), "three");
  {
    LogRingReader next(ring);  // the first one was killed
    EXPECT_EQ(read(next), "one two three");
  }
  EXPECT_FALSE(writer.empty());
  LogRingReader::release(*ring, reader.place());
  EXPECT_TRUE(writer.empty());
  LogRingReader next(ring);
  EXPECT_EQ(read(next), "");
}

TEST_F(LogRingTest, ShowsNothingThatIsNotPublished) {
  LogRingReader reader(ring);
  writer.put("half", 4);
  EXPECT_EQ(read(reader), "");
  writer.publish();
  EXPECT_EQ(read(reader), "half");
}

TEST_F(LogRingTest, BeginsAnewWhereverItIsEmptyAndGoesAroundWhereItIsNot) {
  LogRingReader reader(ring);
  for (int i = 0; i < 1'000; ++i) {
    write("again");
    EXPECT_EQ(read(reader), "again");
    EXPECT_EQ(std::string_view(ring->bytes, 5), "again");
    LogRingReader::release(*ring, reader.place());
  }
  EXPECT_EQ(ring->bytes[5], 0) << "more memory was used than needed";

  const std::string large(LogRing::capacity / 3, 'x');
  write("first");
  for (int i = 0; i < 10; ++i) {
    read(reader);
    const auto first = reader.place();
    write(large + std::to_string(i));
    EXPECT_EQ(read(reader), large + std::to_string(i));
    LogRingReader::release(*ring, first);  // never quite empty
  }
}

TEST_F(LogRingTest, TakesNoMoreThanFits) {
  write(std::string(LogRing::capacity, 'x'));
  EXPECT_EQ(writer.room(), 0U);
  LogRingReader reader(ring);
  read(reader);
  EXPECT_EQ(writer.room(), 0U);
  LogRingReader::release(*ring, reader.place());
  EXPECT_EQ(writer.room(), LogRing::capacity);
}

TEST_F(LogRingTest, IgnoresAReleaseThatComesLate) {
  LogRingReader reader(ring);
  write("one");
  read(reader);
  const auto early = reader.place();
  LogRingReader::release(*ring, early);
  write("two");
  LogRingReader::release(*ring, early);
  LogRingReader::release(*ring, early + 100);
  LogRingReader next(ring);
  EXPECT_EQ(read(next), "two");
}

TEST_F(LogRingTest, RingsOnceUntilSomebodyLooks) {
  LogRingReader reader(ring);
  write("quiet");
  EXPECT_FALSE(writer.to_ring());
  reader.watch(true);
  EXPECT_TRUE(writer.to_ring());
  EXPECT_FALSE(writer.to_ring());
  read(reader);
  EXPECT_TRUE(writer.to_ring());
  read(reader);
  reader.watch(false);
  EXPECT_FALSE(writer.to_ring());
  write(std::string(LogRing::to_ring_at, 'x'));
  EXPECT_TRUE(writer.to_ring());
}

TEST_F(LogRingTest, IsNoRingWhereItsPlacesAreImpossible) {
  LogRingReader reader(ring);
  ring->word = LogRing::packed({5, 5 + LogRing::capacity + 1});
  std::string bytes;
  EXPECT_FALSE(reader.read(bytes));
  EXPECT_EQ(bytes, "");
}

TEST_F(LogRingTest, LosesNothingBetweenTwoThreads) {
  constexpr int lines = 200'000;
  std::thread writing([this] {
    for (int i = 0; i < lines;) {
      const auto line = std::to_string(i) + '\n';
      if (writer.room() < line.size()) {
        std::this_thread::yield();
        continue;
      }
      writer.put(line.data(), line.size());
      writer.publish();
      ++i;
    }
  });
  LogRingReader reader(ring);
  std::string rest;
  int expected = 0;
  while (expected < lines) {
    rest.clear();
    ASSERT_TRUE(reader.read(rest));
    for (std::size_t at = 0; at < rest.size(); ++expected) {
      const auto end = rest.find('\n', at);
      ASSERT_EQ(rest.substr(at, end - at), std::to_string(expected));
      at = end + 1;
    }
    LogRingReader::release(*ring, reader.place());
  }
  writing.join();
}

TEST(LogMemory, IsMappedOnlyWhenItCannotShrink) {
  EXPECT_NE(map_log_ring(log_memory(sizeof(LogRing), F_SEAL_SHRINK).get()), nullptr);
  EXPECT_EQ(map_log_ring(log_memory(sizeof(LogRing), 0).get()), nullptr);
  EXPECT_EQ(map_log_ring(log_memory(4096, F_SEAL_SHRINK).get()), nullptr);
  const os::Fd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(map_log_ring(file.get()), nullptr);
}

}  // namespace
}  // namespace renga::sandbox
