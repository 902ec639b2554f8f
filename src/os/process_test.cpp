#include "os/process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <system_error>

namespace renga::os {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Output shell(const std::string& script, std::string_view input = {}) {
  return run({.argv = {"sh", "-c", script}}, input, 10s);
}

TEST(Run, CollectsBothStreamsAndTheExitStatus) {
  const auto output = shell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(output.out, "out\n");
  EXPECT_EQ(output.err, "err\n");
  EXPECT_EQ(output.status, 3);
}

TEST(Run, ReportsASignalAs128AndItsNumber) { EXPECT_EQ(shell("kill -TERM $$").status, 143); }

TEST(Run, FeedsInputLargerThanAPipe) {
  const std::string input(1 << 20, 'x');
  EXPECT_EQ(shell("cat", input).out, input);
}

TEST(Run, SurvivesAChildThatReadsNoInput) {
  EXPECT_EQ(shell("exec 0<&-; sleep 0.05", std::string(1 << 20, 'x')).status, 0);
}

TEST(Run, PassesTheEnvironmentAndTheDirectory) {
  const auto output = run({.argv = {"/bin/sh", "-c", "echo $COLOUR; pwd; env | wc -l"},
                           .env = {{"COLOUR", "blue"}},
                           .clear_env = true,
                           .directory = "/usr"});
  EXPECT_THAT(output.out, HasSubstr("blue\n/usr\n"));
  EXPECT_THAT(output.out, testing::Not(HasSubstr("HOME")));
}

TEST(Run, LeaksNoDescriptor) {
  const Fd open_here(open("/dev/null", O_RDONLY));                        // without O_CLOEXEC
  EXPECT_EQ(run({.argv = {"ls", "/proc/self/fd"}}).out, "0\n1\n2\n3\n");  // 3 is ls's own
}

TEST(Run, LetsTheChildDieOfABrokenPipeEvenWhenWeIgnoreIt) {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(shell("sh -c 'kill -PIPE $$; exit 0'; exit $?").status, 128 + SIGPIPE);
  ::signal(SIGPIPE, before);
}

TEST(Run, ThrowsForAProgramThatIsNotThere) {
  try {
    run({.argv = {"no-such-program-here"}});
    FAIL() << "nothing thrown";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), ENOENT);
    EXPECT_THAT(error.what(), HasSubstr("no-such-program-here"));
  }
}

TEST(Run, KillsAndThrowsAfterTheLimit) {
  try {
    run({.argv = {"sleep", "100"}}, {}, 50ms);
    FAIL() << "nothing thrown";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), ETIMEDOUT);
  }
}

TEST(Run, DoesNotWaitForAGrandchildThatHoldsTheOutput) {
  const auto start = std::chrono::steady_clock::now();
  const auto output = shell("echo done; sleep 5 & exit 0");
  EXPECT_EQ(output.out, "done\n");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 4s);
}

TEST(ChildProcess, IsTalkedToOverPipes) {
  Child child({.argv = {"cat"}});
  ASSERT_EQ(write(child.in().get(), "hello", 5), 5);
  char buffer[16];
  EXPECT_EQ(read(child.out().get(), buffer, sizeof buffer), 5);
  EXPECT_FALSE(child.wait_for(0ms));
  child.in().close();
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(child.wait(), 0);
}

TEST(ChildProcess, MixesErrorsIntoTheOutputUnlessAskedNotTo) {
  Child child({.argv = {"sh", "-c", "echo both >&2"}});
  EXPECT_FALSE(child.err());
  char buffer[16];
  EXPECT_EQ(read(child.out().get(), buffer, sizeof buffer), 5);
}

TEST(ChildProcess, WritesIntoADescriptorThatIsHandedOver) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const Fd in(ends[0]);
  {
    const Fd out(ends[1]);
    Child child({.argv = {"echo", "hi"}}, {.out = out.get()});
    EXPECT_FALSE(child.out());
    EXPECT_EQ(child.wait_for(10s), 0);
  }
  char buffer[16];
  EXPECT_EQ(read(in.get(), buffer, sizeof buffer), 3);
}

TEST(ChildProcess, GetsExtraDescriptorsInOrder) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const Fd in(ends[0]), out(ends[1]);
  Child child({.argv = {"sh", "-c", "echo four >&4; echo three >&3"}},
              {.extra = {out.get(), out.get()}});
  EXPECT_EQ(child.wait_for(10s), 0);
  char buffer[16];
  EXPECT_EQ(read(in.get(), buffer, sizeof buffer), 11);
}

TEST(ChildProcess, IsKilledWithItsOwner) {
  int pid = 0;
  {
    Child child({.argv = {"sleep", "100"}});
    pid = child.pid();
  }
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(ChildProcess, TakesItsWholeGroupAlongWhenItHasOne) {
  Child child({.argv = {"sh", "-c", "sleep 100 & echo $!; wait"}, .own_group = true});
  char buffer[32] = {};
  ASSERT_GT(read(child.out().get(), buffer, sizeof buffer - 1), 0);
  child.signal(SIGTERM);
  EXPECT_EQ(child.wait_for(10s), 143);
  // The grandchild held the pipe: its end is the end of the output.
  EXPECT_EQ(read(child.out().get(), buffer, sizeof buffer), 0);
}

}  // namespace
}  // namespace renga::os
