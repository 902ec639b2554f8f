// Commands beside what a sandbox runs: what they share with it, and what they may not.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "os/pty.h"
#include "sandbox/testing/sandbox_fixture.h"

namespace renga::sandbox {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ExecTest : public SandboxTest {
 protected:
  void SetUp() override {
    SandboxTest::SetUp();
    if (!spawner) return;  // skipped
    auto spec = script("echo here > /tmp/mark; trap 'exit 0' TERM; while :; do sleep 0.05; done");
    spec.uid_base = 300'000;
    spec.limits.pids = 64;
    running = spawner->start(spec).value();
  }
  void TearDown() override {
    if (spawner) spawner->remove(running.id);
    SandboxTest::TearDown();
  }

  Exec shell(const std::string& text) const {
    return {.id = running.id,
            .argv = {"/bin/bash", "-c", text},
            .env = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"GREETING", "hello"}},
            .working_directory = "/app"};
  }

  struct Begun {
    os::Fd input, output, leash;
  };
  Begun begin(const Exec& exec) {
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    const os::Fd far_in(in[0]), far_out(out[1]);
    Begun begun{os::Fd(in[1]), os::Fd(out[0]), {}};
    auto leash = spawner->exec(exec, far_in.get(), far_out.get());
    if (!leash) throw std::runtime_error(leash.error().message);
    begun.leash = *std::move(leash);
    return begun;
  }
  static int status_of(const os::Fd& leash) {
    pollfd one{leash.get(), POLLIN, 0};
    int status = -1;
    if (poll(&one, 1, 20'000) > 0 && recv(leash.get(), &status, sizeof status, 0) != sizeof status)
      status = -2;
    return status;
  }
  Ran exec(const Exec& wanted) {
    auto begun = begin(wanted);
    begun.input.close();
    Ran ran{read_to_end(begun.output.get()), Exit{}};
    ran.exit->status = status_of(begun.leash);
    return ran;
  }

  Running running;
};

TEST_F(ExecTest, SharesEverythingWithItsDynoAndHasNoMorePower) {
  const auto ran =
      exec(shell("while [ ! -s /tmp/mark ]; do sleep 0.02; done; dyno=$(pgrep -ox sh); "
                 "id -u; id -G; cat /tmp/mark; echo $GREETING; pwd; cat /proc/self/status; "
                 "for n in user pid mnt net ipc uts cgroup; do "
                 "[ $(readlink /proc/self/ns/$n) = $(readlink /proc/$dyno/ns/$n) ] && "
                 "echo same $n; done; "
                 "cmp /proc/self/cgroup /proc/$dyno/cgroup && echo same groups; "
                 "ls /proc/self/fd | tr '\\n' ' '; ulimit -n; ulimit -c; exit 7"));
  EXPECT_EQ(ran.exit->status, 7);
  EXPECT_THAT(ran.output, testing::StartsWith("1000\n1000\nhere\nhello\n/app\n"));
  for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
    EXPECT_THAT(ran.output, HasSubstr(std::string(set) + ":\t0000000000000000")) << set;
  EXPECT_THAT(ran.output, AllOf(HasSubstr("NoNewPrivs:\t1"), HasSubstr("Seccomp:\t2")));
  for (const auto* name : {"user", "pid", "mnt", "net", "ipc", "uts", "cgroup"})
    EXPECT_THAT(ran.output, HasSubstr(std::string("same ") + name + "\n"));
  EXPECT_THAT(ran.output,
              AllOf(HasSubstr("same groups\n"), HasSubstr("0 1 2 3 "), HasSubstr("\n0\n")));
}

TEST_F(ExecTest, SeesNothingOfTheHost) {
  const auto ran =
      exec(shell("ls /proc | grep -E '^[0-9]+$' | wc -l; cat /proc/*/comm; mount -t tmpfs x /tmp; "
                 "unshare -U true; kill -9 1; echo $?; ls /root 2>&1; cat /proc/1/exe; echo end"));
  EXPECT_THAT(ran.output, AllOf(HasSubstr("renga-init\n"), HasSubstr("end\n")));
  EXPECT_THAT(ran.output, Not(HasSubstr("spawner")));
  EXPECT_THAT(ran.output, Not(HasSubstr("sandbox_test")));
  EXPECT_TRUE(spawner->exit_of(running.id) == std::nullopt);
  EXPECT_EQ(spawner->running().size(), 1U);
}

TEST_F(ExecTest, CarriesBytesExactlyAndEndsExactly) {
  auto begun = begin(shell("cat; exit 3"));
  std::string bytes;
  for (int i = 0; i < 50'000; ++i) bytes += static_cast<char>(i * 31);
  ASSERT_EQ(write(begun.input.get(), bytes.data(), bytes.size()),
            static_cast<ssize_t>(bytes.size()));
  begun.input.close();
  EXPECT_EQ(read_to_end(begun.output.get()), bytes);
  EXPECT_EQ(status_of(begun.leash), 3);
  EXPECT_EQ(exec(shell("kill -9 $$")).exit->status, 137);
  EXPECT_EQ(exec(shell("exec nothing-like-this")).exit->status, 127);
  auto wrong = shell("");
  wrong.argv = {"/no/such/program"};
  EXPECT_EQ(exec(wrong).exit->status, 127);
}

TEST_F(ExecTest, HasATerminalOfItsOwn) {
  auto pty = os::open_pty(100, 33);
  const auto slave = pty.slave.get();
  // Not a shell's loop: whether that ends by Ctrl-C depends on what it waits for.
  auto program = shell("");
  program.argv = {"python3", "-uc",
                  "import os, signal\n"
                  "def tell(*_): print(*os.get_terminal_size())\n"
                  "signal.signal(signal.SIGWINCH, tell)\n"
                  "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
                  "tell()\n"
                  "while True: signal.pause()\n"};
  auto leash = spawner->exec(program, slave, slave);
  ASSERT_TRUE(leash);
  pty.slave.close();
  std::string seen;
  const auto read_until = [&](std::string_view text) {
    char buffer[512];
    pollfd one{pty.master.get(), POLLIN, 0};
    while (!seen.contains(text) && poll(&one, 1, 20'000) > 0) {
      const auto got = read(pty.master.get(), buffer, sizeof buffer);
      if (got <= 0) break;
      seen.append(buffer, static_cast<std::size_t>(got));
    }
    return seen.contains(text);
  };
  EXPECT_TRUE(read_until("100 33\r\n")) << seen;
  os::set_window_size(pty.master.get(), 120, 40);
  EXPECT_TRUE(read_until("120 40\r\n")) << seen;
  ASSERT_EQ(write(pty.master.get(), "\x03", 1), 1);
  EXPECT_EQ(status_of(*leash), 130);
}

TEST_F(ExecTest, IsHungUpWithItsLeash) {
  auto begun = begin(shell(
      "echo $$ > /tmp/pid; trap 'echo hup > /tmp/hup; exit' HUP; while :; do sleep 0.1; done"));
  ASSERT_TRUE(eventually([&] { return exec(shell("cat /tmp/pid")).output.size() > 1; }));
  begun.leash.close();
  EXPECT_TRUE(eventually([&] { return exec(shell("cat /tmp/hup")).output == "hup\n"; }));
  // One that does not care is killed.
  auto deaf = begin(shell("trap '' HUP; echo $$ > /tmp/deaf; while :; do sleep 0.1; done"));
  ASSERT_TRUE(
      eventually([&] { return exec(shell("kill -0 $(cat /tmp/deaf)")).exit->status == 0; }));
  deaf.leash.close();
  EXPECT_TRUE(
      eventually([&] { return exec(shell("kill -0 $(cat /tmp/deaf)")).exit->status != 0; }));
}

TEST_F(ExecTest, EndsWithItsDyno) {
  auto begun = begin(shell("trap '' TERM HUP; echo up; while :; do sleep 1; done"));
  char up[3];
  ASSERT_EQ(read(begun.output.get(), up, 3), 3);
  spawner->signal(running.id, SIGTERM);
  EXPECT_TRUE(wait_for_end(*spawner, running));
  EXPECT_EQ(status_of(begun.leash), 137);
  const auto late = spawner->exec(shell("true"), 0, 1);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, Kind::not_found);
}

TEST_F(ExecTest, ForwardsToAPortInside) {
  auto server = begin(
      shell("exec python3 -c \"\nimport socket\ns = socket.create_server(('127.0.0.1', 7777))\n"
            "print('up', flush=True)\nc, _ = s.accept()\nc.sendall(b'x' * 300000 + "
            "c.recv(4))\nc.close()\n\""));
  char up[3];
  ASSERT_EQ(read(server.output.get(), up, 3), 3);
  auto wanted = shell("");
  wanted.forward_port = 7777;
  auto begun = begin(wanted);
  ASSERT_EQ(write(begun.input.get(), "ping", 4), 4);
  EXPECT_EQ(read_to_end(begun.output.get()), std::string(300'000, 'x') + "ping");
  EXPECT_EQ(status_of(begun.leash), 0);
  wanted.forward_port = 7778;
  EXPECT_EQ(exec(wanted).exit->status, 1);
}

TEST_F(ExecTest, OfManyAtOnceAllEnd) {
  std::vector<Begun> all;
  for (int i = 0; i < 20; ++i) all.push_back(begin(shell("read x; exit $x")));
  for (int i = 0; i < 20; ++i) {
    const auto text = std::to_string(i) + "\n";
    ASSERT_EQ(write(all[static_cast<std::size_t>(i)].input.get(), text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(status_of(all[static_cast<std::size_t>(i)].leash), i);
}

TEST(Exec, CrossesTheSocketAndNothingBadDoes) {
  Exec exec{.id = "01234567-89ab-4def-8123-456789abcdef",
            .argv = {"a", "", "b\nc"},
            .env = {{"A", "1=2"}, {"B", ""}},
            .working_directory = "/app",
            .forward_port = 80};
  const auto again = unpack_exec(pack(exec)).value();
  EXPECT_EQ(again.argv, exec.argv);
  EXPECT_EQ(again.env, exec.env);
  EXPECT_EQ(again.forward_port, 80);
  const auto packed = pack(exec);
  for (std::size_t size = 0; size < packed.size(); ++size) {
    [[maybe_unused]] const auto any = unpack_exec(packed.substr(0, size));
  }
  exec.id = "../..";
  EXPECT_FALSE(unpack_exec(pack(exec)));
}

}  // namespace
}  // namespace renga::sandbox
