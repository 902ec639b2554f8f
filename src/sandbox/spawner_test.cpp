// What a sandbox is for control: started, watched, signalled, killed, removed.
#include "sandbox/spawner.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <future>
#include <system_error>
#include <thread>

#include "base/id.h"
#include "os/file.h"
#include "sandbox/run_directory.h"
#include "sandbox/testing/sandbox_fixture.h"

namespace renga::sandbox {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

int parent_of(int pid) {
  const auto stat = os::read_file("/proc/" + std::to_string(pid) + "/stat").value_or("");
  const auto name_end = stat.rfind(')');
  return name_end == std::string::npos ? 0 : std::stoi(stat.substr(name_end + 4));
}

class SpawnerTest : public SandboxTest {
 protected:
  // The spawner's process, found as the parent of a sandbox that runs.
  int spawner_process() {
    const auto spec = script("sleep 1000");
    const auto started = spawner->start(spec);
    const int parent = started ? parent_of(started->init_pid) : 0;
    spawner->remove(spec.id);
    return parent;
  }
};

TEST_F(SpawnerTest, RunsACommandAndTellsHowItEnded) {
  const auto ran = run(script("echo hello; exit 3"));
  EXPECT_EQ(ran.output, "hello\n");
  ASSERT_TRUE(ran.exit);
  EXPECT_EQ(ran.exit->status, 3);
  EXPECT_EQ(ran.exit->signal, 0);
}

TEST_F(SpawnerTest, TellsTheSignalThatEndedACommand) {
  const auto ran = run(script("kill -SEGV $$"));
  ASSERT_TRUE(ran.exit) << ran.output;
  EXPECT_EQ(ran.exit->signal, 11);
  EXPECT_EQ(ran.exit->status, 139);
}

TEST_F(SpawnerTest, SaysWhyACommandCannotBeRun) {
  auto spec = script("");
  spec.argv = {"no-such-program"};
  const auto ran = run(spec);
  EXPECT_THAT(ran.output, HasSubstr("cannot run no-such-program: No such file"));
  ASSERT_TRUE(ran.exit);
  EXPECT_EQ(ran.exit->status, 127);
}

TEST_F(SpawnerTest, GivesTheEnvironmentAndNothingElseOfIt) {
  auto spec = script("env | sort");
  spec.env = {{"COLOUR", "sky blue"}, {"PATH", "/bin"}, {"BYTES", "\xff\n="}};
  EXPECT_EQ(run(spec).output, "=\nBYTES=\xff\nCOLOUR=sky blue\nPATH=/bin\nPWD=/app\n");
}

TEST_F(SpawnerTest, ReadsFromTheInputThatIsHandedOver) {
  int in[2], out[2];
  ASSERT_EQ(pipe2(in, O_CLOEXEC), 0);
  ASSERT_EQ(pipe2(out, O_CLOEXEC), 0);
  const os::Fd in_read(in[0]), out_read(out[0]);
  os::Fd in_write(in[1]), out_write(out[1]);
  const auto started = spawner->start(script("cat"), out_write.get(), in_read.get());
  ASSERT_TRUE(started) << started.error().message;
  out_write.close();
  ASSERT_EQ(write(in_write.get(), "word", 4), 4);
  in_write.close();
  EXPECT_EQ(read_to_end(out_read.get()), "word");
}

TEST_F(SpawnerTest, RefusesWhatIsNoSpec) {
  auto spec = script("true");
  spec.uid_base = 0;
  auto refused = spawner->start(spec);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::invalid);
  EXPECT_THAT(refused.error().message, HasSubstr("uid range"));
}

TEST_F(SpawnerTest, LeavesNothingOfAStartThatFailed) {
  auto spec = script("true");
  spec.app_directory = "/no/such/directory";
  auto refused = spawner->start(spec);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("/no/such/directory"));
  EXPECT_THAT(spawner->ids(), IsEmpty());
  EXPECT_TRUE(eventually([&] { return left_on_host().empty(); }));
}

TEST_F(SpawnerTest, ShowsTheAppAndForgetsWhatIsWrittenThere) {
  const auto app = directory / "slug";
  std::filesystem::create_directory(app);
  std::ofstream(app / "Procfile") << "web: run\n";
  ASSERT_EQ(chown(app.c_str(), 1000, 1000), 0);
  ASSERT_EQ(chown((app / "Procfile").c_str(), 1000, 1000), 0);
  auto spec = script(
      "pwd; stat -c '%u:%g' Procfile .; echo more >> Procfile; cat Procfile; "
      "mkdir d && mv d e && ls");
  spec.app_directory = app;
  EXPECT_EQ(run(spec).output, "/app\n1000:1000\n1000:1000\nweb: run\nmore\nProcfile\ne\n");
  EXPECT_EQ(os::read_file(app / "Procfile"), "web: run\n");
  spec.id = new_uuid();
  spec.uid_base += 65536;
  spec.argv.back() = "cat Procfile; ls";
  EXPECT_EQ(run(spec).output, "web: run\nProcfile\n");
}

TEST_F(SpawnerTest, WritesIntoMountsAsTheOwnerThatTheyHaveOnDisk) {
  const auto cache = directory / "cache";
  std::filesystem::create_directory(cache);
  ASSERT_EQ(chown(cache.c_str(), 1000, 1000), 0);
  auto spec = script("echo x > /cache/made && stat -c %u /cache/made; echo y > /env/made");
  spec.mounts = {{cache, "/cache", true}, {cache, "/env", false}};
  EXPECT_THAT(run(spec).output, testing::AllOf(HasSubstr("1000\n"), HasSubstr("Read-only")));
  struct stat info;
  ASSERT_EQ(stat((cache / "made").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 1000u);
}

TEST_F(SpawnerTest, MountsAnOverlayWhoseLowerDirectoryStaysAsItIs) {
  const auto lower = directory / "lower", source = directory / "layers";
  for (const auto& each : {lower, source, source / "upper", source / "work"}) {
    std::filesystem::create_directory(each);
    ASSERT_EQ(chown(each.c_str(), 1000, 1000), 0);
  }
  std::ofstream(lower / "kept") << "old";
  ASSERT_EQ(chown((lower / "kept").c_str(), 1000, 1000), 0);
  auto spec = script(
      "cat /build/kept; echo -n new > /build/kept; echo x > /build/more; stat -c %u /build/more; "
      "grep -c layers /proc/self/mountinfo");
  spec.mounts = {{lower, "/build", false}, {source, "/build", true}};
  EXPECT_EQ(run(spec).output, "old1000\n0\n") << "nor does it say where that is";
  EXPECT_EQ(os::read_file(lower / "kept"), "old");
  EXPECT_EQ(os::read_file(source / "upper/kept"), "new");
  struct stat info;
  ASSERT_EQ(stat((source / "upper/more").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 1000u);
}

TEST_F(SpawnerTest, MountsBelowTmpAndApp) {
  const auto build = directory / "build";
  std::filesystem::create_directory(build);
  ASSERT_EQ(chown(build.c_str(), 1000, 1000), 0);
  auto spec =
      script("touch /tmp/build_1/file /app/deep/file; ls /app/deep/er; stat -c %u /app/deep");
  spec.app_directory = directory / "build";
  spec.mounts = {{build, "/tmp/build_1", true}, {build, "/app/deep/er", true}};
  EXPECT_EQ(run(spec).output, "file\n1000\n");
}

TEST_F(SpawnerTest, ATerminalThatIsHandedOverIsTheCommands) {
  const os::Fd terminal(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(terminal);
  ASSERT_EQ(grantpt(terminal.get()), 0);
  ASSERT_EQ(unlockpt(terminal.get()), 0);
  char name[64];
  ASSERT_EQ(ptsname_r(terminal.get(), name, sizeof name), 0);
  os::Fd inside = os::open_file(name, O_RDWR | O_NOCTTY);
  const auto started = spawner->start(
      script("trap 'echo interrupted; exit 3' INT; test -t 0 && echo ready > /dev/tty; "
             "while :; do sleep 0.02; done"),
      inside.get(), inside.get());
  ASSERT_TRUE(started) << started.error().message;
  inside.close();
  char buffer[64] = {};
  ASSERT_GT(read(terminal.get(), buffer, sizeof buffer - 1), 0);
  EXPECT_THAT(buffer, HasSubstr("ready"));
  ASSERT_EQ(write(terminal.get(), "\x03", 1), 1);
  ASSERT_TRUE(wait_for_end(*spawner, *started));
  EXPECT_EQ(spawner->exit_of(started->id)->status, 3);
}

TEST_F(SpawnerTest, SignalsTheCommandAndReportsItsAnswer) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const os::Fd in(ends[0]);
  os::Fd out(ends[1]);
  const auto spec =
      script("trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.02; done");
  const auto started = spawner->start(spec, out.get());
  ASSERT_TRUE(started) << started.error().message;
  out.close();
  char buffer[16];
  ASSERT_EQ(read(in.get(), buffer, sizeof buffer), 6);
  EXPECT_FALSE(spawner->exit_of(spec.id));
  spawner->signal(spec.id, SIGTERM);
  ASSERT_TRUE(wait_for_end(*spawner, *started));
  EXPECT_EQ(spawner->exit_of(spec.id)->status, 7);
}

TEST_F(SpawnerTest, EndsWhatTheCommandLeavesBehind) {
  const auto ran = run(script("sleep 1000 & setsid sleep 1000 & exit 0"));
  EXPECT_EQ(ran.exit->status, 0);
  EXPECT_TRUE(eventually([&] { return left_on_host().empty(); }));
}

TEST_F(SpawnerTest, KillsEverythingAndLeavesNothing) {
  const auto spec = script("trap '' TERM; for i in 1 2 3; do sleep 1000 & done; wait");
  const auto started = spawner->start(spec);
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_THAT(spawner->running(), SizeIs(1));
  spawner->kill(spec.id);
  EXPECT_THAT(spawner->running(), IsEmpty());
  EXPECT_FALSE(spawner->exit_of(spec.id));
  EXPECT_FALSE(spawner->watch(*started));
  spawner->remove(spec.id);
  EXPECT_TRUE(eventually([&] { return left_on_host().empty(); }))
      << testing::PrintToString(left_on_host());
}

TEST_F(SpawnerTest, SandboxesOutliveTheSpawnerAndAreFoundAgain) {
  const auto spec = script("trap 'exit 5' TERM; while :; do sleep 0.02; done");
  const auto started = spawner->start(spec);
  ASSERT_TRUE(started) << started.error().message;
  spawner.reset();
  spawner.emplace(options());
  const auto found = spawner->running();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].id, spec.id);
  EXPECT_EQ(found[0].init_pid, started->init_pid);
  EXPECT_EQ(found[0].started, started->started);
  EXPECT_EQ(found[0].address, started->address);
  spawner->signal(spec.id, SIGTERM);
  ASSERT_TRUE(wait_for_end(*spawner, found[0]));
  EXPECT_EQ(spawner->exit_of(spec.id)->status, 5);
}

TEST_F(SpawnerTest, StartsAnotherSpawnerWhenItsOwnWasKilled) {
  const auto first = spawner->start(script("sleep 1000"));
  ASSERT_TRUE(first) << first.error().message;
  const auto parent = parent_of(first->init_pid);
  ASSERT_EQ(::kill(parent, SIGKILL), 0);
  // The same process until it is reaped; the next call finds it dead.
  EXPECT_TRUE(eventually([&] {
    const auto now = os::read_file("/proc/" + std::to_string(parent) + "/stat").value_or(") Z");
    return now[now.rfind(')') + 2] == 'Z';
  }));
  const auto second = spawner->start(script("sleep 1000"));
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_NE(second->address, first->address);
  EXPECT_THAT(spawner->running(), SizeIs(2));
}

TEST_F(SpawnerTest, TakesTurnsWithCallsFromManyThreads) {
  std::vector<std::jthread> threads;
  std::atomic<int> well = 0;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < 3; ++round) {
        auto spec = script("exit " + std::to_string(i));
        spec.uid_base += static_cast<std::uint32_t>(i) * 65'536;
        const auto started = spawner->start(spec);
        if (!started || !wait_for_end(*spawner, *started)) continue;
        const auto exit = spawner->exit_of(spec.id);
        if (exit && exit->status == i) ++well;
        spawner->remove(spec.id);
      }
    });
  threads.clear();
  EXPECT_EQ(well, 12);
  EXPECT_TRUE(eventually([&] { return left_on_host().empty(); }));
}

TEST_F(SpawnerTest, ASandboxWhoseStartWasCutOffLeavesNothing) {
  // Kills the spawner at different instants of a start.
  for (int delay = 0; delay < 12; ++delay) {
    const auto spawner_pid = spawner_process();
    ASSERT_GT(spawner_pid, 1);
    const auto spec = script("sleep 1000");
    std::jthread killer([&] {
      usleep(static_cast<useconds_t>(delay * 700));
      ::kill(spawner_pid, SIGKILL);
    });
    try {
      // Started or refused with the spawner's death; nothing between.
      const auto started = spawner->start(spec);
      EXPECT_TRUE(!started || spawner->watch(*started));
    } catch (const std::system_error&) {
    }
    killer.join();
    // Or the next start may still be asked of the one that is dying.
    ASSERT_TRUE(eventually([&] {
      const auto stat = os::read_file("/proc/" + std::to_string(spawner_pid) + "/stat");
      return !stat || stat->find(") Z ") != std::string::npos;
    }));
  }
  for (const auto& id : spawner->ids()) spawner->remove(id);
  spawner->leave_host();  // another spawner finds what was not even a sandbox yet
  EXPECT_THAT(spawner->running(), IsEmpty());
  EXPECT_TRUE(eventually([&] { return left_on_host().empty(); }))
      << testing::PrintToString(left_on_host());
}

// Its control is gone, and it is still starting what that asked for.
TEST_F(SpawnerTest, LooksForSandboxesWhenAnEarlierSpawnerIsDone) {
  spawner.reset();
  auto earlier = RunDirectory(options().run_directory).lock(std::chrono::seconds(1));
  EXPECT_THROW(RunDirectory(options().run_directory).lock({}), std::system_error);
  spawner.emplace(options());
  auto seen = std::async(std::launch::async, [&] { return spawner->ids(); });
  const auto id = new_uuid();
  std::filesystem::create_directories(options().run_directory / id);
  earlier.close();
  EXPECT_THAT(seen.get(), ElementsAre(id));
}

}  // namespace
}  // namespace renga::sandbox
