// What is kept from the inside of a sandbox: the security checklist, run as an app would.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>

#include "base/id.h"
#include "base/text.h"
#include "os/file.h"
#include "sandbox/freezer.h"
#include "sandbox/testing/sandbox_fixture.h"

namespace renga::sandbox {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Once with every sandbox made when it is wanted, once with holders that waited for it.
class IsolationTest : public SandboxTest, public testing::WithParamInterface<std::size_t> {
 protected:
  void SetUp() override {
    holders = GetParam();
    SandboxTest::SetUp();
    if (!spawner || holders == 0) return;
    run(script("true"));
    wait_for_holders();
  }

  std::string python(const std::string& program) {
    auto spec = script("");
    spec.argv = {"python3", "-c", program};
    return run(spec).output;
  }
};

TEST_P(IsolationTest, HasNoPrivilegesAndNoGroups) {
  const auto status = output_of("id -u; id -g; id -G; cat /proc/self/status");
  EXPECT_THAT(status, testing::StartsWith("1000\n1000\n1000\n"));
  for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
    EXPECT_THAT(status, HasSubstr(std::string(set) + ":\t0000000000000000")) << set;
  EXPECT_THAT(status, AllOf(HasSubstr("NoNewPrivs:\t1"), HasSubstr("Seccomp:\t2")));
}

TEST_P(IsolationTest, MapsItsIdsToTheAppsOwnRange) {
  auto spec = script("read a b c < /proc/self/uid_map; echo $a $b $c");
  spec.uid_base = 300'000;
  EXPECT_EQ(run(spec).output, "0 300000 65536\n");
}

TEST_P(IsolationTest, IsToldItsMemoryLimitWhereProgramsLook) {
  auto spec = script(
      "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max; "
      "ls /sys/fs/cgroup; echo 1 2>/dev/null >/sys/fs/cgroup/memory.max || echo read-only");
  spec.limits.memory_bytes = 256LL << 20;
  EXPECT_EQ(run(spec).output, "268435456\n268435456\nmemory\nmemory.max\nread-only\n");
}

TEST_P(IsolationTest, CannotUseASetuidProgram) {
  const auto app = directory / "slug";
  std::filesystem::create_directory(app);
  std::filesystem::copy("/usr/bin/id", app / "id");
  ASSERT_EQ(chmod((app / "id").c_str(), 04755), 0);
  auto spec = script("/app/id -u; cp /app/id /tmp && chmod 4755 /tmp/id && /tmp/id -u");
  spec.app_directory = app;
  EXPECT_EQ(run(spec).output, "1000\n1000\n");
}

TEST_P(IsolationTest, WritesOnlyToAppAndTmp) {
  EXPECT_EQ(output_of("for d in / /usr /etc /dev /bin /root /sys /proc /var/log; do "
                      "touch $d/x 2>/dev/null && echo wrote $d; done; "
                      "touch /app/x /tmp/x /var/tmp/y /dev/shm/x && echo fine"),
            "fine\n");
  const auto mounts = output_of("cat /proc/mounts");
  for (const auto line : text::lines(mounts)) {
    const auto fields = text::split(line, ' ');
    ASSERT_GE(fields.size(), 4u);
    if (fields[1] == "/app" || fields[1] == "/tmp" || fields[1] == "/usr") {
      EXPECT_THAT(std::string(fields[3]), AllOf(HasSubstr("nosuid"), HasSubstr("nodev")));
    }
  }
}

TEST_P(IsolationTest, LimitsWhatTmpTakes) {
  auto spec = script("head -c 200M /dev/zero > /tmp/x; stat -c %s /tmp/x");
  spec.limits.memory_bytes = 64 << 20;
  // Whichever limit comes first: the file system's or the memory's.
  EXPECT_THAT(run(spec).output, Not(HasSubstr("209715200")));
}

TEST_P(IsolationTest, SeesNothingOfTheKernelsSecrets) {
  EXPECT_THAT(output_of("for f in /proc/kcore /proc/keys /proc/timer_list /proc/interrupts "
                        "/proc/sched_debug; do head -c 1 $f 2>/dev/null; done; "
                        "ls /proc/acpi /proc/scsi /sys/firmware "
                        "/sys/devices/virtual/powercap 2>/dev/null | grep -v : | grep ."),
              IsEmpty());
}

TEST_P(IsolationTest, CannotChangeTheKernelsSettings) {
  EXPECT_EQ(output_of("for f in /proc/sys/kernel/hostname /proc/sysrq-trigger "
                      "/proc/sys/kernel/core_pattern /sys/power/state; do "
                      "(echo x > $f) 2>/dev/null && echo wrote $f; done; echo done"),
            "done\n");
}

TEST_P(IsolationTest, HasTheDevicesThatAreSafe) {
  EXPECT_EQ(output_of("LC_ALL=C ls /dev"),
            "fd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n");
  EXPECT_EQ(output_of("head -c 3 /dev/zero | od -An -tx1; echo gone > /dev/null; "
                      "mknod /tmp/vda b 254 0 2>/dev/null || echo refused"),
            " 00 00 00\nrefused\n");
  EXPECT_THAT(python("import os, pty; m, s = pty.openpty(); print(os.ttyname(s))"),
              HasSubstr("/dev/pts/0"));
}

TEST_P(IsolationTest, InheritsNoDescriptor) {
  const os::Fd leak(open("/dev/null", O_RDONLY));  // not close-on-exec, and still not there
  EXPECT_EQ(python(R"(
import os
for fd in range(1000):
    try:
        os.fstat(fd)
        print(fd)
    except OSError:
        pass
)"),
            "0\n1\n2\n");
}

TEST_P(IsolationTest, StartsInNoDirectoryOfTheHost) {
  auto spec = script("pwd");
  for (const auto* path : {"/proc/self/fd/5", "/proc/1/root", "/no/such"}) {
    spec.id = new_uuid();
    spec.working_directory = path;
    const auto ran = run(spec);
    EXPECT_THAT(ran.output, HasSubstr("cannot change to")) << path;
    EXPECT_NE(ran.exit->status, 0);
  }
  spec.id = new_uuid();
  spec.working_directory = "/app/../../../..";
  EXPECT_EQ(run(spec).output, "/\n");
}

// A holder lets the command go and becomes renga-init beside it.
TEST_P(IsolationTest, SeesOnlyItsOwnProcesses) {
  EXPECT_EQ(output_of("cd /proc; for i in $(seq 500); do read name <1/comm; "
                      "[ $name = renga-init ] && break; sleep 0.02; done; "
                      "set [0-9]*; echo $#; cat 1/comm; cat 1/environ 2>/dev/null"),
            "2\nrenga-init\n");
}

TEST_P(IsolationTest, CannotReachRengaInitOrItsProgram) {
  EXPECT_EQ(output_of("for f in /proc/1/exe /proc/1/root /proc/1/cwd; do readlink $f; done; "
                      "(echo x >> /proc/1/exe) 2>/dev/null || echo refused; "
                      "ls /proc/1/fd 2>/dev/null; kill -9 1 2>/dev/null; echo alive"),
            "refused\nalive\n");
}

TEST_P(IsolationTest, ShowsNoSecretInItsMounts) {
  auto spec = script("cat /proc/self/mountinfo");
  spec.log_secret = "a-secret-word";
  spec.env["TOKEN"] = "another-secret-word";
  EXPECT_THAT(run(spec).output, Not(HasSubstr("secret-word")));
}

TEST_P(IsolationTest, ShowsNoDirectoryOfTheHostInItsMounts) {
  const auto app = directory / "slug";
  std::filesystem::create_directory(app);
  auto spec = script("cat /proc/self/mountinfo /proc/self/mounts");
  spec.app_directory = app;
  const auto mounts = run(spec).output;
  EXPECT_THAT(mounts, HasSubstr("lowerdir"));
  EXPECT_THAT(mounts, Not(HasSubstr(directory.string())));
  EXPECT_THAT(mounts, Not(HasSubstr(spec.id)));
}

TEST_P(IsolationTest, HasNothingBelowAnAppThatIsMounted) {
  auto spec = script("cat /proc/self/mountinfo; touch /app/here");
  const auto home = directory / "home";
  std::filesystem::create_directory(home);
  ASSERT_EQ(chown(home.c_str(), 1000, 1000), 0);
  spec.mounts = {{home, "/app", true}};
  const auto mounts = run(spec).output;
  EXPECT_THAT(mounts, Not(HasSubstr(spec.id)));
  EXPECT_THAT(mounts, HasSubstr(" /app "));
  EXPECT_TRUE(std::filesystem::exists(home / "here"));
}

TEST_P(IsolationTest, KeepsTheHostsUsersApart) {
  // A file of the host's user 1000 in the stack is nobody's inside, although the sandbox's user is
  // 1000.
  const auto stack = directory / "stack";
  for (const auto* path : {"usr/bin", "etc"}) std::filesystem::create_directories(stack / path);
  std::ofstream(stack / "usr/private") << "secret";
  ASSERT_EQ(chown((stack / "usr/private").c_str(), 1000, 1000), 0);
  ASSERT_EQ(chmod((stack / "usr/private").c_str(), 0600), 0);
  auto spec = script("");
  spec.stack = stack;
  spec.mounts = {
      {"/usr", "/tools", false}, {"/usr/lib", "/lib", false}, {"/usr/lib64", "/lib64", false}};
  spec.argv = {"/tools/bin/cat", "/usr/private"};
  EXPECT_THAT(run(spec).output, HasSubstr("Permission denied"));
}

TEST_P(IsolationTest, FollowsNoLinkOfTheAppToAMountsPlace) {
  const auto app = directory / "slug";
  std::filesystem::create_directory(app);
  std::filesystem::create_directory_symlink("/etc", app / "cache");
  auto spec = script("ls /app/cache/");
  spec.app_directory = app;
  spec.mounts = {{app, "/app/cache", true}};
  EXPECT_THAT(run(spec).output, HasSubstr("web.1 cannot be started"));
}

TEST_P(IsolationTest, RefusesSystemCallsOfTheHostsAdministrator) {
  const auto answers = python(R"(
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
calls = dict(mount=165, umount2=166, pivot_root=155, setns=308, unshare=272, fsopen=430,
             open_tree=428, move_mount=429, mount_setattr=442, bpf=321, perf_event_open=298,
             keyctl=250, add_key=248, request_key=249, userfaultfd=323, io_uring_setup=425,
             kexec_load=246, init_module=175, finit_module=313, swapon=167, reboot=169,
             process_vm_readv=310, open_by_handle_at=304, quotactl=179, acct=163,
             settimeofday=164, iopl=172, syslog=103, chroot=161, clone3=435, no_such_call=9999)
for name, number in calls.items():
    result = libc.syscall(number, 0, 0, 0, 0, 0, 0)
    print(name, result, errno.errorcode.get(ctypes.get_errno()))
)");
  for (const auto line : text::lines(answers)) {
    const bool is_new = line.starts_with("clone3") || line.starts_with("no_such");
    EXPECT_THAT(std::string(line), testing::EndsWith(is_new ? " -1 ENOSYS" : " -1 EPERM"));
  }
  EXPECT_EQ(text::lines(answers).size(), 31u) << answers;
}

TEST_P(IsolationTest, RefusesNewNamespacesAndOddSockets) {
  EXPECT_EQ(python(R"(
import ctypes, errno, fcntl, socket
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0), errno.errorcode[ctypes.get_errno()])
print(libc.syscall(135, 0x0400000), errno.errorcode[ctypes.get_errno()])
for family, kind, protocol in ((17, 3, 0), (38, 5, 0), (40, 1, 0), (2, 3, 1), (16, 3, 9), (16, 3, 0)):
    try:
        socket.socket(family, kind, protocol)
        print(family, protocol, 'made')
    except OSError as e:
        print(family, protocol, errno.errorcode[e.errno])
for request in (0x5412, 0x541C, 0x100005412, 0x5413):
    print(hex(request), libc.ioctl(0, ctypes.c_ulong(request), b' ' * 64), errno.errorcode[ctypes.get_errno()])
)"),
            "-1 EPERM\n-1 EPERM\n17 0 EPERM\n38 0 EPERM\n40 0 EPERM\n2 1 EPERM\n16 9 EPERM\n"
            "16 0 made\n0x5412 -1 EPERM\n0x541c -1 EPERM\n0x100005412 -1 EPERM\n"
            "0x5413 -1 ENOTTY\n");
}

// Another entry into the kernel must not be a way around the policy.
TEST_P(IsolationTest, RefusesTheEntriesOfOtherArchitectures) {
  auto spec = script("");
  spec.argv = {"python3", "-c", R"(
import ctypes, errno, mmap, os
libc = ctypes.CDLL(None, use_errno=True)
def x32(number):
    pid = os.fork()
    if pid == 0:
        result = libc.syscall(ctypes.c_long(0x40000000 | number), 0, 0, 0, 0, 0)
        os._exit(0 if result < 0 else 1)
    return os.waitpid(pid, 0)[1]
def i386(number):
    pid = os.fork()
    if pid == 0:
        page = mmap.mmap(-1, 4096, prot=7)
        # mov eax, number; xor ebx, ebx; xor ecx, ecx; xor edx, edx; int 0x80; ret, saving rbx
        page.write(b"\x53\xb8" + number.to_bytes(4, "little") +
                   b"\x31\xdb\x31\xc9\x31\xd2\xcd\x80\x5b\xc3")
        call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
        os._exit(0 if call() < 0 else 1)
    return os.waitpid(pid, 0)[1]
# Refused (0) or killed by SIGSYS or SIGSEGV; never done (256).
for what, number in ((x32, 39), (x32, 165), (x32, 272), (i386, 20), (i386, 21), (i386, 310)):
    print(what(number) in (0, 11, 31, 139, 159))
)"};
  EXPECT_EQ(run(spec).output, "True\nTrue\nTrue\nTrue\nTrue\nTrue\n");
}

// A slug is what a stranger's build left: links out of it, devices, programs of another's.
TEST_P(IsolationTest, TakesNothingFromWhatASlugPretendsToBe) {
  const auto app = directory / "slug";
  std::filesystem::create_directory(app);
  std::filesystem::create_symlink("/etc/shadow", app / "shadow");
  std::filesystem::create_symlink("../../../../../../etc/shadow", app / "climbs");
  std::filesystem::create_symlink("/proc/1/root/etc/shadow", app / "around");
  std::ofstream(app / "of-root") << "secret";
  ASSERT_EQ(chmod((app / "of-root").c_str(), 0600), 0);  // the host's root's
  ASSERT_EQ(mknod((app / "memory").c_str(), S_IFCHR | 0666, makedev(1, 1)), 0);
  ASSERT_EQ(mknod((app / "zero").c_str(), S_IFCHR | 0666, makedev(1, 5)), 0);
  auto spec = script(
      "for f in shadow climbs around of-root memory zero; do "
      "head -c 1 /app/$f >/dev/null 2>&1 && echo read $f; done; echo done");
  spec.app_directory = app;
  EXPECT_EQ(run(spec).output, "done\n");
}

TEST_P(IsolationTest, SeesNoSocketThatRulesTheHost) {
  EXPECT_EQ(output_of("find / -xdev -type s 2>/dev/null; ls -A /run /var/run /var/lib; "
                      "ls /run/docker.sock /var/run/docker.sock /run/containerd /run/renga "
                      "/run/dbus /var/lib/renga 2>/dev/null; echo none"),
            "/run:\nhosts\nresolv.conf\n\n/var/lib:\n\n/var/run:\nhosts\nresolv.conf\nnone\n");
}

TEST_P(IsolationTest, WeighsWhatItsSizeSays) {
  auto spec = script("sleep 1000");
  spec.limits.cpu_weight = 300;
  spec.limits.pids = 77;
  const auto started = spawner->start(spec);
  ASSERT_TRUE(started) << started.error().message;
  std::string seen;
  const auto groups =
      os::read_file("/proc/" + std::to_string(started->init_pid) + "/cgroup").value_or("");
  for (const auto line : text::lines(groups)) {
    const auto fields = text::split(line, ':');
    if (fields.size() != 3) continue;
    for (const auto* tree : {"unified", "cpu", "cpu,cpuacct", "pids", "."})
      for (const auto* file : {"cpu.shares", "cpu.weight", "pids.max"})
        if (const auto value = os::read_file("/sys/fs/cgroup/" + std::string(tree) +
                                             std::string(fields[2]) + "/" + file))
          seen += std::string(file) + " " + *value;
  }
  EXPECT_THAT(seen, HasSubstr("pids.max 77\n"));
  EXPECT_THAT(seen, testing::AnyOf(HasSubstr("cpu.shares 3072\n"), HasSubstr("cpu.weight 300\n")));
}

TEST_P(IsolationTest, SeesNoAbstractSocketOfTheHost) {
  const auto name = "renga-" + server_name;
  const os::Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  EXPECT_THAT(python("import socket\nsocket.socket(socket.AF_UNIX).connect('\\0" + name + "')"),
              HasSubstr("ConnectionRefusedError"));
}

TEST_P(IsolationTest, KillsWhatTakesTooMuchMemoryAndNothingElse) {
  const auto sibling = spawner->start(script("sleep 1000"));
  ASSERT_TRUE(sibling);
  auto spec = script("");
  spec.argv = {"python3", "-c", "x = bytearray(300 << 20)"};
  spec.limits.memory_bytes = 64 << 20;
  const auto hog = spawner->start(spec);
  ASSERT_TRUE(hog) << hog.error().message;
  ASSERT_TRUE(wait_for_end(*spawner, *hog));
  EXPECT_EQ(spawner->exit_of(spec.id)->signal, 9);
  const auto memory = spawner->memory(spec.id);
  ASSERT_TRUE(memory);
  EXPECT_GE(memory->out_of_memory_kills, 1);
  EXPECT_TRUE(spawner->watch(*sibling));
  EXPECT_GT(spawner->memory(sibling->id)->used_bytes, 0);
  EXPECT_EQ(spawner->memory(sibling->id)->out_of_memory_kills, 0);
}

TEST_P(IsolationTest, IsHeardWhenItWantsTooMuchMemory) {
  auto spec = script("");
  spec.argv = {"python3", "-c", "input(); x = bytearray(300 << 20)"};
  spec.limits.memory_bytes = 64 << 20;
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const os::Fd theirs(ends[0]), ours(ends[1]);
  ASSERT_TRUE(spawner->start(spec, std::nullopt, theirs.get()));
  const auto told = Freezer(options()).memory_events(spec.id);
  ASSERT_TRUE(told.fd);
  char bytes[512];
  [[maybe_unused]] const auto count = read(told.fd.get(), bytes, sizeof bytes);
  pollfd news{told.fd.get(), told.events, 0};
  EXPECT_EQ(poll(&news, 1, 0), 0) << "it has all that it wants";
  ASSERT_EQ(write(ours.get(), "\n", 1), 1);
  EXPECT_EQ(poll(&news, 1, 10'000), 1);
}

TEST_P(IsolationTest, HoldsAForkBombAndEndsIt) {
  auto spec = script("");
  spec.argv = {"bash", "-c", "f() { f | f & }; f 2>/dev/null; sleep 1000"};
  spec.limits.pids = 40;
  const auto bomb = spawner->start(spec);
  ASSERT_TRUE(bomb) << bomb.error().message;
  poll(nullptr, 0, 300);
  spawner->remove(spec.id);
  spawner->leave_host();
  EXPECT_TRUE(eventually([&] { return left_on_host().empty(); }));
}

INSTANTIATE_TEST_SUITE_P(Holders, IsolationTest, testing::Values(0, 3), [](const auto& parameter) {
  return parameter.param == 0 ? "MadeWhenWanted" : "MadeAhead";
});

}  // namespace
}  // namespace renga::sandbox
