// Sandboxes that are made ahead: the same as others, never too many, and nobody's burden.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <regex>
#include <set>

#include "base/id.h"
#include "base/text.h"
#include "os/file.h"
#include "sandbox/freezer.h"
#include "sandbox/testing/sandbox_fixture.h"

namespace renga::sandbox {
namespace {

using testing::IsEmpty;

std::string field_of(int pid, const char* name) {
  const auto status = os::read_file("/proc/" + std::to_string(pid) + "/status").value_or("");
  for (const auto line : text::lines(status)) {
    const auto [key, value] = text::split_once(line, ':');
    if (key == name) return std::string(text::trim(value));
  }
  return "";
}

class HolderTest : public SandboxTest {
 protected:
  void SetUp() override {
    holders = 12;
    SandboxTest::SetUp();
  }

  // Those of this test's spawner, which is the parent of what it started.
  std::set<int> waiting(int spawner_pid) const {
    std::set<int> pids;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const auto pid = static_cast<int>(text::number(entry.path().filename().string()).value_or(0));
      if (pid > 0 && field_of(pid, "Name") == "renga-holder" &&
          field_of(pid, "PPid") == std::to_string(spawner_pid))
        pids.insert(pid);
    }
    return pids;
  }

  int spawner_pid() {
    const auto spec = script("sleep 1000");
    const auto started = spawner->start(spec);
    const auto parent = started ? field_of(started->init_pid, "PPid") : "0";
    spawner->remove(spec.id);
    return static_cast<int>(text::number(parent).value_or(0));
  }

  // All that a command can see of where it is, without what differs from one to the next.
  std::string surroundings() {
    // Process 1 becomes renga-init, and confines itself, while the command already runs.
    auto spec = script(R"(
until [ "$confined" = 2 ]; do
  while read -r name value; do [ "$name" != Seccomp: ] || confined=$value; done </proc/1/status
done
id; id -G; hostname; cat /proc/self/uid_map /proc/self/gid_map /proc/self/limits /proc/1/limits
grep -E '^(Cap|NoNewPrivs|Seccomp|Sig(Blk|Ign|Cgt)|Groups|Uid|Gid|NSpid|Umask)' /proc/self/status /proc/1/status
cut -d: -f2- /proc/self/cgroup; ls -lnR --time-style=+ /etc /dev /run /mnt /srv /home /opt 2>/dev/null | grep -v ' hosts$'; ls -ln --time-style=+ / | awk '{print $1, $3, $4, $6}'
cat /etc/hosts /etc/hostname /etc/resolv.conf /etc/passwd /etc/group
cut -d' ' -f4- /proc/self/mountinfo | LC_ALL=C sort; ls -ln /proc/self/fd | wc -l; set -- /proc/[0-9]*; echo $#
cat /proc/net/dev | cut -d: -f1; cat /proc/net/route; pwd; env | sort; cat /proc/self/oom_score_adj
ps -o pid,ppid,pgid,sid,tty,ni,stat,comm -e; df -P /tmp /dev/shm /app | awk '{print $1, $2, $6}')");
    spec.env["TOKEN"] = "word";
    auto text = run(spec).output;
    text = std::regex_replace(text, std::regex("100\\.[0-9]+\\.[0-9.]+|[0-9a-f]{8}-[0-9a-f-]{27}"),
                              "X");
    // Whether a process waits or runs as ps looks at it is chance.
    text = std::regex_replace(text, std::regex(" [DRS]([a-zA-Z<+]*) "), " $1 ");
    return std::regex_replace(text, std::regex("(master|shared|propagate_from):[0-9]+|0:[0-9]+ "),
                              "N");
  }
};

TEST_F(HolderTest, GivesTheSameSandboxAsWithoutOne) {
  run(script("true"));
  wait_for_holders();
  const auto held = surroundings();
  spawner.reset();
  ASSERT_EQ(setenv("RENGA_HOLDERS", "0", 1), 0);
  spawner.emplace(options());
  const auto made = surroundings();
  EXPECT_EQ(held, made);
  EXPECT_THAT(held, testing::HasSubstr("uid=1000(dyno)"));
}

TEST_F(HolderTest, StartsInOneThatWaited) {
  const auto parent = spawner_pid();
  wait_for_holders();
  const auto before = waiting(parent);
  EXPECT_EQ(before.size(), waiting_holders());
  const auto spec = script("sleep 1000");
  const auto started = spawner->start(spec);
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_TRUE(before.contains(started->init_pid));
  // Another app's starts in one that was nobody's.
  auto other = script("sleep 1000");
  other.uid_base = 400'000;
  const auto second = spawner->start(other);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_TRUE(before.contains(second->init_pid));
  EXPECT_EQ(*os::read_file("/proc/" + std::to_string(second->init_pid) + "/uid_map"),
            *os::read_file("/proc/" + std::to_string(second->init_pid) + "/gid_map"));
  EXPECT_THAT(*os::read_file("/proc/" + std::to_string(second->init_pid) + "/uid_map"),
              testing::HasSubstr("400000"));
}

TEST_F(HolderTest, AreNeverMoreThanTold) {
  for (std::uint32_t app = 0; app < 8; ++app) {
    auto spec = script("true");
    spec.uid_base = 200'000 + app * 65'536;
    EXPECT_EQ(run(spec).exit->status, 0);
    EXPECT_LE(waiting_holders(), 14u);  // with those that are being taken away
  }
  wait_for_holders();
  EXPECT_EQ(waiting_holders(), 12u);
}

TEST_F(HolderTest, CannotBeLookedInto) {
  const auto parent = spawner_pid();
  wait_for_holders();
  const auto pids = waiting(parent);
  ASSERT_FALSE(pids.empty());
  // Dumpable processes belong to their user in /proc, these to the host's root.
  for (const auto pid : pids) {
    EXPECT_EQ(field_of(pid, "TracerPid"), "0");
    struct stat info = {};
    EXPECT_EQ(::stat(("/proc/" + std::to_string(pid) + "/environ").c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, 0u);
  }
}

TEST_F(HolderTest, EndWithASpawnerThatIsKilled) {
  const auto parent = spawner_pid();
  wait_for_holders();
  const auto pids = waiting(parent);
  ASSERT_FALSE(pids.empty());
  ASSERT_EQ(::kill(parent, SIGKILL), 0);
  EXPECT_TRUE(eventually([&] {
    for (const auto pid : pids)
      if (field_of(pid, "Name") == "renga-holder" && field_of(pid, "State")[0] != 'Z') return false;
    return field_of(parent, "State")[0] == 'Z';  // or it would be asked once more
  }));
  // The next spawner takes away what was made with them.
  EXPECT_EQ(run(script("exit 3")).exit->status, 3);
  spawner->leave_host();
  EXPECT_TRUE(eventually([&] { return left_on_host().empty(); }))
      << testing::PrintToString(left_on_host());
}

TEST_F(HolderTest, OneThatDiedMeanwhileIsNobodysTrouble) {
  const auto parent = spawner_pid();
  wait_for_holders();
  for (const auto pid : waiting(parent)) ::kill(pid, SIGKILL);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(run(script("exit 4")).exit->status, 4) << i;
}

TEST_F(HolderTest, AChangedStackIsSeen) {
  const auto stack = directory / "stack";
  std::filesystem::create_directories(stack / "usr");
  std::filesystem::create_directories(stack / "etc");
  std::ofstream(stack / "etc/timezone") << "old\n";
  auto spec = script("cat /etc/timezone");
  spec.stack = stack;
  spec.mounts = {{"/usr", "/tools", false}, {"/usr/lib", "/lib", false}};
  if (std::filesystem::exists("/usr/lib64")) spec.mounts.push_back({"/usr/lib64", "/lib64", false});
  spec.argv = {"/tools/bin/cat", "/etc/timezone"};
  EXPECT_EQ(run(spec).output, "old\n");
  wait_for_holders();
  os::replace_file(stack / "etc/timezone", "new\n", 0644);
  spec.id = new_uuid();
  EXPECT_EQ(run(spec).output, "new\n");
  wait_for_holders();
  EXPECT_LE(waiting_holders(), 14u);
}

// What is made ahead of an app's directory is of the slug that was started last.
class SlugsAheadTest : public HolderTest {
 protected:
  Spec app(const std::string& text, const std::filesystem::path& slug) const {
    auto spec = script(text);
    spec.app_directory = slug;
    return spec;
  }
  void write_slug(const std::filesystem::path& slug, const std::string& word) {
    std::filesystem::create_directories(slug);
    std::ofstream(slug / "word") << word << "\n";
  }
};

TEST_F(SlugsAheadTest, IsTheOneThatIsAskedFor) {
  write_slug(directory / "first", "first");
  write_slug(directory / "second", "second");
  const std::string look = "cat word; ls | wc -l; touch left-behind";
  for (const auto* name : {"first", "first", "second", "first", "second", "second"}) {
    EXPECT_EQ(run(app(look, directory / name)).output, std::string(name) + "\n1\n");
    wait_for_holders();
  }
  EXPECT_FALSE(std::filesystem::exists(directory / "first/left-behind"));
  // A build of the same app has no slug, and finds /app empty and its own.
  EXPECT_EQ(run(script("ls /app | wc -l; touch /app/mine && ls /app")).output, "0\nmine\n");
  EXPECT_EQ(run(app(look, directory / "second")).output, "second\n1\n");
}

TEST_F(SlugsAheadTest, IsSeenToBeAnother) {
  const auto slug = directory / "slug";
  write_slug(slug, "old");
  EXPECT_EQ(run(app("cat word", slug)).output, "old\n");
  wait_for_holders();
  write_slug(directory / "new", "new");
  std::filesystem::remove_all(slug);
  std::filesystem::rename(directory / "new", slug);
  EXPECT_EQ(run(app("cat word", slug)).output, "new\n");
}

TEST_F(SlugsAheadTest, MayBeGone) {
  const auto slug = directory / "slug";
  write_slug(slug, "word");
  EXPECT_EQ(run(app("cat word", slug)).output, "word\n");
  std::filesystem::remove_all(slug);
  EXPECT_THAT(run(app("cat word", slug)).output, testing::HasSubstr("web.1 cannot be started"));
  EXPECT_EQ(run(script("exit 5")).exit->status, 5);
  wait_for_holders();
  EXPECT_EQ(waiting_holders(), 6u);  // four of anybody's, two of this app
}

TEST_F(HolderTest, AFrozenSandboxStandsStillAndGoesOn) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const os::Fd in(ends[0]);
  os::Fd out(ends[1]);
  const auto spec = script("while :; do echo x; sleep 0.01; done");
  const auto started = spawner->start(spec, out.get());
  ASSERT_TRUE(started) << started.error().message;
  out.close();
  char buffer[65536];
  ASSERT_GT(read(in.get(), buffer, sizeof buffer), 0);
  ASSERT_EQ(fcntl(in.get(), F_SETFL, O_NONBLOCK), 0);
  ASSERT_TRUE(Freezer(options()).freeze(spec.id));
  // What was on its way comes, and then nothing, although the command goes on for ever.
  EXPECT_TRUE(eventually([&] {
    while (read(in.get(), buffer, sizeof buffer) > 0) continue;
    poll(nullptr, 0, 100);
    return read(in.get(), buffer, sizeof buffer) < 0;
  }));
  ASSERT_TRUE(Freezer(options()).thaw(spec.id));
  EXPECT_TRUE(eventually([&] { return read(in.get(), buffer, sizeof buffer) > 0; }));
  ASSERT_TRUE(Freezer(options()).freeze(spec.id));
  spawner->remove(spec.id);
  EXPECT_THAT(spawner->ids(), IsEmpty());
}

}  // namespace
}  // namespace renga::sandbox
