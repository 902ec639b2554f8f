#include "sandbox/syscall_policy.h"

#include <errno.h>
#include <gmock/gmock.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <cstring>

namespace renga::sandbox {
namespace {

// What the kernel does with the program, for the instructions that it consists of.
std::uint32_t verdict(const seccomp_data& call) {
  static const auto program = syscall_policy();
  std::uint32_t value = 0;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const auto& line = program[at];
    bool truth = false;
    switch (line.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&value, reinterpret_cast<const char*>(&call) + line.k, sizeof value);
        continue;
      case BPF_RET | BPF_K:
        return line.k;
      case BPF_JMP | BPF_JA:
        at += line.k;
        continue;
      case BPF_JMP | BPF_JEQ | BPF_K:
        truth = value == line.k;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        truth = value >= line.k;
        break;
      case BPF_JMP | BPF_JSET | BPF_K:
        truth = (value & line.k) != 0;
        break;
      default:
        ADD_FAILURE() << "instruction " << line.code;
        return 0;
    }
    at += truth ? line.jt : line.jf;
  }
  ADD_FAILURE() << "ran off its end";
  return 0;
}

constexpr std::uint32_t refused = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t unknown = SECCOMP_RET_ERRNO | ENOSYS;

#if defined(__x86_64__)
constexpr std::uint32_t here = AUDIT_ARCH_X86_64;
#else
constexpr std::uint32_t here = AUDIT_ARCH_AARCH64;
#endif

std::uint32_t call(int number, std::uint64_t a = 0, std::uint64_t b = 0, std::uint64_t c = 0) {
  return verdict({number, here, 0, {a, b, c, 0, 0, 0}});
}

TEST(SyscallPolicy, AllowsWhatProgramsLiveOn) {
  for (const int number : {SYS_read, SYS_write, SYS_openat, SYS_execve, SYS_futex, SYS_mmap,
                           SYS_accept4, SYS_epoll_pwait, SYS_getrandom, SYS_rseq, 452, 462})
    EXPECT_EQ(call(number), SECCOMP_RET_ALLOW) << number;
}

TEST(SyscallPolicy, RefusesWhatIsTheAdministratorsAndDoesNotKnowWhatIsNew) {
  for (const int number : {SYS_mount, SYS_unshare, SYS_setns, SYS_bpf, SYS_keyctl, SYS_reboot})
    EXPECT_EQ(call(number), refused) << number;
  for (const int number : {SYS_clone3, 500, 9999, 0x3fffffff})
    EXPECT_EQ(call(number), unknown) << number;
}

TEST(SyscallPolicy, KillsCallsOfOtherArchitectures) {
  EXPECT_EQ(verdict({SYS_read, AUDIT_ARCH_I386, 0, {}}), SECCOMP_RET_KILL_PROCESS);
#if defined(__x86_64__)
  EXPECT_EQ(call(0x40000000 | SYS_read), SECCOMP_RET_KILL_PROCESS);
  EXPECT_EQ(call(-2), SECCOMP_RET_KILL_PROCESS);
#endif
}

TEST(SyscallPolicy, LooksAtArgumentsAsTheKernelDoes) {
  EXPECT_EQ(call(SYS_clone, 0x003d0f00), SECCOMP_RET_ALLOW);  // pthread_create
  for (const std::uint64_t flag :
       {0x20000u, 0x2000000u, 0x4000000u, 0x8000000u, 0x10000000u, 0x20000000u, 0x40000000u})
    EXPECT_EQ(call(SYS_clone, flag | 17), refused) << flag;
  EXPECT_EQ(call(SYS_personality, 0), SECCOMP_RET_ALLOW);
  EXPECT_EQ(call(SYS_personality, 0xffffffff), SECCOMP_RET_ALLOW);
  EXPECT_EQ(call(SYS_personality, 0x40000), refused);
  // The upper half is junk to the kernel, and must not hide anything from the policy.
  const auto junk = std::uint64_t{1} << 32;
  EXPECT_EQ(call(SYS_ioctl, 0, 0x5401), SECCOMP_RET_ALLOW);
  for (const std::uint64_t request : {0x5412u, 0x541Cu}) {
    EXPECT_EQ(call(SYS_ioctl, 0, request), refused);
    EXPECT_EQ(call(SYS_ioctl, 0, junk | request), refused);
  }
  for (const std::uint64_t family : {1u, 2u, 10u})
    EXPECT_EQ(call(SYS_socket, family), SECCOMP_RET_ALLOW);
  for (const std::uint64_t family : {0u, 17u, 38u, 40u, 16u + 1})
    EXPECT_EQ(call(SYS_socket, junk | family), refused) << family;
  EXPECT_EQ(call(SYS_socket, 16, 3, 0), SECCOMP_RET_ALLOW);
  EXPECT_EQ(call(SYS_socket, 16, 3, 9), refused);
}

TEST(SyscallPolicy, IsShort) { EXPECT_LT(syscall_policy().size(), 400u); }

}  // namespace
}  // namespace renga::sandbox
