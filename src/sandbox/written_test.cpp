// What a sandbox has on the disk, told from outside.
#include "sandbox/written.h"

#include "base/text.h"
#include "os/file.h"
#include "sandbox/freezer.h"
#include "sandbox/testing/sandbox_fixture.h"

namespace renga::sandbox {
namespace {

constexpr std::int64_t megabyte = 1 << 20;

class WrittenTest : public SandboxTest {
 protected:
  // What the program has on the disk once it says so.
  std::int64_t written_by(const std::string& program) {
    auto spec = script("");
    spec.app_directory = directory / "slug";
    std::filesystem::create_directories(spec.app_directory);
    spec.argv = {"python3", "-c",
                 "import mmap, os, socket\nmega = bytes(1 << 20)\n" + program +
                     "\nos.sync()\nopen('/app/ready', 'w')\n"
                     "import time\ntime.sleep(1000)\n"};
    const auto started = spawner->start(spec);
    EXPECT_TRUE(started) << started.error().message;
    const auto ready = options().run_directory / spec.id / "upper/ready";
    EXPECT_TRUE(eventually([&] { return std::filesystem::exists(ready); }));
    const auto bytes = Freezer(options()).written(spec.id, INT64_MAX);
    EXPECT_GT(Freezer(options()).written(spec.id, 0), 0);
    spawner->remove(spec.id);
    EXPECT_EQ(Freezer(options()).written(spec.id, INT64_MAX), 0);
    return bytes;
  }
};

TEST_F(WrittenTest, CountsWhatIsInApp) {
  const auto bytes = written_by("open('/app/a', 'wb').write(5 * mega)");
  EXPECT_GE(bytes, 5 * megabyte);
  EXPECT_LT(bytes, 6 * megabyte);
}

TEST_F(WrittenTest, CountsWhatWasRemovedAndIsStillOpenOrMapped) {
  const auto bytes = written_by(
      "f = open('/app/a', 'wb'); f.write(3 * mega); f.flush(); os.unlink('/app/a')\n"
      "twice = os.dup(f.fileno())\n"
      "g = open('/app/b', 'wb+'); g.write(4 * mega); g.flush(); os.unlink('/app/b')\n"
      "m = mmap.mmap(g.fileno(), 0); g.close()");
  EXPECT_GE(bytes, 7 * megabyte);
  EXPECT_LT(bytes, 8 * megabyte) << "each once";
}

TEST_F(WrittenTest, CountsNoMemory) {
  const auto bytes = written_by(
      "f = open('/tmp/a', 'wb'); f.write(3 * mega); f.flush(); os.unlink('/tmp/a')\n"
      "g = os.memfd_create('x'); os.write(g, mega)\n"
      "m = mmap.mmap(-1, 1 << 20); m.write(mega)");
  EXPECT_LT(bytes, megabyte);
}

}  // namespace
}  // namespace renga::sandbox
