#include "sandbox/syscall_policy.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cstddef>
#include <cstdint>
#include <map>

namespace renga::sandbox {
namespace {

enum class Verdict { unknown, allow, refuse, clone, personality, socket, ioctl };

using Code = std::vector<sock_filter>;

#if defined(__x86_64__)
constexpr std::uint32_t own_architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t own_architecture = AUDIT_ARCH_AARCH64;
#else
#error "The system call policy knows x86-64 and arm64."
#endif

constexpr int allowed[] = {
    // Files.
    SYS_openat, SYS_openat2, SYS_close, SYS_close_range, SYS_read, SYS_write, SYS_readv, SYS_writev,
    SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_preadv2, SYS_pwritev2, SYS_lseek,
    SYS_newfstatat, SYS_fstat, SYS_statx, SYS_statfs, SYS_fstatfs, SYS_faccessat, SYS_faccessat2,
    SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_ftruncate, SYS_truncate, SYS_fallocate,
    SYS_fadvise64, SYS_readahead, SYS_sync, SYS_syncfs, SYS_fsync, SYS_fdatasync,
    SYS_sync_file_range, SYS_getdents64, SYS_getcwd, SYS_chdir, SYS_fchdir, SYS_mkdirat,
    SYS_mknodat, SYS_linkat, SYS_symlinkat, SYS_unlinkat, SYS_renameat, SYS_renameat2,
    SYS_readlinkat, SYS_utimensat, SYS_umask, SYS_flock, SYS_fcntl, SYS_dup, SYS_dup3, SYS_pipe2,
    SYS_splice, SYS_tee, SYS_vmsplice, SYS_sendfile, SYS_copy_file_range, SYS_inotify_init1,
    SYS_inotify_add_watch, SYS_inotify_rm_watch, SYS_fanotify_mark, SYS_getxattr, SYS_lgetxattr,
    SYS_fgetxattr, SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_listxattr, SYS_llistxattr,
    SYS_flistxattr, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr,
    // Waiting.
    SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_epoll_pwait2, SYS_ppoll, SYS_pselect6,
    SYS_eventfd2, SYS_signalfd4, SYS_timerfd_create, SYS_timerfd_settime, SYS_timerfd_gettime,
    SYS_io_setup, SYS_io_submit, SYS_io_cancel, SYS_io_destroy, SYS_io_getevents, SYS_io_pgetevents,
    // Memory.
    SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_mincore, SYS_msync,
    SYS_mlock, SYS_mlock2, SYS_mlockall, SYS_munlock, SYS_munlockall, SYS_remap_file_pages,
    SYS_memfd_create, SYS_memfd_secret, SYS_membarrier, SYS_pkey_alloc, SYS_pkey_free,
    SYS_pkey_mprotect, SYS_process_mrelease,
    // Processes and threads.
    SYS_execve, SYS_execveat, SYS_exit, SYS_exit_group, SYS_wait4, SYS_waitid, SYS_kill, SYS_tkill,
    SYS_tgkill, SYS_pidfd_open, SYS_pidfd_send_signal, SYS_getpid, SYS_getppid, SYS_gettid,
    SYS_getpgid, SYS_setpgid, SYS_getsid, SYS_setsid, SYS_prctl, SYS_prlimit64, SYS_getrlimit,
    SYS_setrlimit, SYS_getrusage, SYS_times, SYS_getpriority, SYS_setpriority, SYS_ioprio_get,
    SYS_ioprio_set, SYS_sched_yield, SYS_sched_getaffinity, SYS_sched_setaffinity,
    SYS_sched_getattr, SYS_sched_setattr, SYS_sched_getparam, SYS_sched_setparam,
    SYS_sched_getscheduler, SYS_sched_setscheduler, SYS_sched_get_priority_max,
    SYS_sched_get_priority_min, SYS_sched_rr_get_interval, SYS_getcpu, SYS_futex, SYS_futex_waitv,
    SYS_set_robust_list, SYS_get_robust_list, SYS_set_tid_address, SYS_rseq, SYS_restart_syscall,
    SYS_ptrace, SYS_seccomp, SYS_landlock_create_ruleset, SYS_landlock_add_rule,
    SYS_landlock_restrict_self,
    // Signals and time.
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigpending, SYS_rt_sigsuspend, SYS_rt_sigtimedwait,
    SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_rt_sigreturn, SYS_sigaltstack, SYS_nanosleep,
    SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_clock_adjtime, SYS_adjtimex,
    SYS_gettimeofday, SYS_getitimer, SYS_setitimer, SYS_timer_create, SYS_timer_delete,
    SYS_timer_getoverrun, SYS_timer_gettime, SYS_timer_settime,
    // Identity and the system.
    SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getresuid, SYS_getresgid, SYS_getgroups,
    SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setgroups,
    SYS_setfsuid, SYS_setfsgid, SYS_capget, SYS_capset, SYS_uname, SYS_sysinfo, SYS_getrandom,
    // Sockets; socket() itself is looked at more closely.
    SYS_socketpair, SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_connect, SYS_getsockname,
    SYS_getpeername, SYS_getsockopt, SYS_setsockopt, SYS_sendto, SYS_sendmsg, SYS_sendmmsg,
    SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg, SYS_shutdown,
    // System V and POSIX messages, semaphores and memory, of this sandbox's own.
    SYS_msgget, SYS_msgsnd, SYS_msgrcv, SYS_msgctl, SYS_semget, SYS_semop, SYS_semtimedop,
    SYS_semctl, SYS_shmget, SYS_shmat, SYS_shmdt, SYS_shmctl, SYS_mq_open, SYS_mq_unlink,
    SYS_mq_timedsend, SYS_mq_timedreceive, SYS_mq_notify, SYS_mq_getsetattr,
    // Newer than the headers that this is built with; numbers are the same everywhere since 2019:
    // cachestat, fchmodat2, map_shadow_stack, futex_wake, futex_wait, futex_requeue, mseal.
    451, 452, 453, 454, 455, 456, 462,
#if defined(__x86_64__)
    SYS_open, SYS_creat, SYS_stat, SYS_lstat, SYS_access, SYS_chmod, SYS_chown, SYS_lchown,
    SYS_getdents, SYS_mkdir, SYS_rmdir, SYS_mknod, SYS_link, SYS_symlink, SYS_unlink, SYS_rename,
    SYS_readlink, SYS_utime, SYS_utimes, SYS_futimesat, SYS_dup2, SYS_pipe, SYS_inotify_init,
    SYS_epoll_create, SYS_epoll_wait, SYS_epoll_ctl_old, SYS_epoll_wait_old, SYS_poll, SYS_select,
    SYS_eventfd, SYS_signalfd, SYS_fork, SYS_vfork, SYS_getpgrp, SYS_arch_prctl, SYS_modify_ldt,
    SYS_get_thread_area, SYS_set_thread_area, SYS_pause, SYS_alarm, SYS_time,
    335,  // uretprobe, which the kernel itself puts into traced programs
#endif
};

constexpr int refused[] = {
    SYS_mount,
    SYS_umount2,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_open_tree,
    SYS_move_mount,
    SYS_mount_setattr,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_unshare,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_swapon,
    SYS_swapoff,
    SYS_reboot,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_process_madvise,
    SYS_kcmp,
    SYS_pidfd_getfd,
    SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    SYS_quotactl,
    SYS_quotactl_fd,
    SYS_acct,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_syslog,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_vhangup,
    SYS_fanotify_init,
    SYS_mbind,
    SYS_set_mempolicy,
    SYS_get_mempolicy,
    SYS_migrate_pages,
    SYS_move_pages,
    SYS_lookup_dcookie,
    SYS_nfsservctl,
#if defined(__x86_64__)
    SYS_iopl,
    SYS_ioperm,
    SYS_uselib,
    SYS_ustat,
    SYS_sysfs,
    SYS__sysctl,
    SYS_create_module,
    SYS_get_kernel_syms,
    SYS_query_module,
#endif
};

sock_filter statement(int code, std::uint32_t operand) {
  return {static_cast<std::uint16_t>(code), 0, 0, operand};
}
sock_filter jump(int test, std::uint32_t operand, std::size_t if_true, std::size_t if_false) {
  return {static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), static_cast<std::uint8_t>(if_true),
          static_cast<std::uint8_t>(if_false), operand};
}
sock_filter load(std::size_t offset) {
  return statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
// The lower half of an argument. The kernel looks at no more of those that are checked here, so
// neither must the policy, or a value with junk above it would pass.
sock_filter load_argument(std::size_t number) {
  return load(offsetof(seccomp_data, args) + number * sizeof(std::uint64_t));
}

const sock_filter say_allow = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
const sock_filter say_refuse = statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
const sock_filter say_unknown = statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
const sock_filter say_kill = statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);

Code one_of(std::size_t argument, const std::vector<std::uint32_t>& values, sock_filter yes,
            sock_filter no) {
  Code code = {load_argument(argument)};
  for (std::size_t i = 0; i < values.size(); ++i)
    code.push_back(jump(BPF_JEQ, values[i], values.size() - i, 0));
  code.push_back(no);
  code.push_back(yes);
  return code;
}

Code code_for(Verdict verdict) {
  switch (verdict) {
    case Verdict::allow:
      return {say_allow};
    case Verdict::refuse:
      return {say_refuse};
    case Verdict::unknown:
      return {say_unknown};
    case Verdict::clone:
      return {load_argument(0),
              jump(BPF_JSET,
                   CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                       CLONE_NEWPID | CLONE_NEWNET,
                   0, 1),
              say_refuse, say_allow};
    case Verdict::personality:
      return one_of(0, {0, 0x8, 0x20000, 0x20008, 0xffffffff}, say_allow, say_refuse);
    case Verdict::ioctl:
      // Both type into a terminal, which may be the one of the person who attached to the dyno.
      return one_of(1, {TIOCSTI, TIOCLINUX}, say_refuse, say_allow);
    case Verdict::socket: {
      // Of the netlink family only the routing one, which getifaddrs() needs. Everything else, raw
      // packets and crypto and virtual machines' sockets, has no use here and a history of holes.
      Code code = {load_argument(0), jump(BPF_JEQ, AF_NETLINK, 0, 4),
                   load_argument(2), jump(BPF_JEQ, 0, 0, 1),
                   say_allow,        say_refuse};
      for (const auto& line : one_of(0, {AF_UNIX, AF_INET, AF_INET6}, say_allow, say_refuse))
        code.push_back(line);
      return code;
    }
  }
  return {say_kill};
}

struct Range {
  std::uint32_t from;
  Verdict verdict;
};

// Finds the range of the loaded number by halving; every leaf ends in a verdict.
Code search(const std::vector<Range>& ranges, std::size_t first, std::size_t last) {
  if (last - first == 1) return code_for(ranges[first].verdict);
  const auto middle = first + (last - first) / 2;
  const auto below = search(ranges, first, middle);
  const auto above = search(ranges, middle, last);
  Code code;
  if (below.size() <= 255) {
    code.push_back(jump(BPF_JGE, ranges[middle].from, below.size(), 0));
  } else {
    // Too far for a conditional jump's eight bits.
    code.push_back(jump(BPF_JGE, ranges[middle].from, 0, 1));
    code.push_back(statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(below.size())));
  }
  code.insert(code.end(), below.begin(), below.end());
  code.insert(code.end(), above.begin(), above.end());
  return code;
}

}  // namespace

std::vector<sock_filter> syscall_policy() {
  std::map<std::uint32_t, Verdict> verdicts;
  for (const int number : allowed) verdicts[static_cast<std::uint32_t>(number)] = Verdict::allow;
  for (const int number : refused) verdicts[static_cast<std::uint32_t>(number)] = Verdict::refuse;
  verdicts[SYS_clone] = Verdict::clone;
  verdicts[SYS_personality] = Verdict::personality;
  verdicts[SYS_socket] = Verdict::socket;
  verdicts[SYS_ioctl] = Verdict::ioctl;

  std::vector<Range> ranges = {{0, Verdict::unknown}};
  const auto add = [&ranges](std::uint32_t from, Verdict verdict) {
    if (ranges.back().from == from)
      ranges.back().verdict = verdict;
    else if (ranges.back().verdict != verdict)
      ranges.push_back({from, verdict});
  };
  std::uint32_t next = 0;
  for (const auto& [number, verdict] : verdicts) {
    if (number > next) add(next, Verdict::unknown);
    add(number, verdict);
    next = number + 1;
  }
  add(next, Verdict::unknown);

  Code code = {load(offsetof(seccomp_data, arch)), jump(BPF_JEQ, own_architecture, 1, 0), say_kill,
               load(offsetof(seccomp_data, nr))};
#if defined(__x86_64__)
  // x32: the same architecture with a bit in the number. -1 is what a tracer sets to skip a call.
  code.push_back(jump(BPF_JEQ, 0xffffffff, 2, 0));
  code.push_back(jump(BPF_JGE, 0x40000000, 0, 1));
  code.push_back(say_kill);
#endif
  const auto tree = search(ranges, 0, ranges.size());
  code.insert(code.end(), tree.begin(), tree.end());
  return code;
}

}  // namespace renga::sandbox
