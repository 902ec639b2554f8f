#include "sandbox/holder.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/fault.h"
#include "base/text.h"
#include "os/file.h"
#include "sandbox/command.h"
#include "sandbox/descriptors.h"
#include "sandbox/records.h"

namespace renga::sandbox {
namespace {

constexpr int start_limit_ms = 20'000;
// How long a command has the CPU to itself, on its way and then as itself: most need a tenth of it
// to begin.
constexpr int head_start_ms = 10;
constexpr std::uint32_t ids = 65'536;
constexpr std::size_t longest_message = 16'384;
constexpr std::size_t most_descriptors = 250;  // of one message: SCM_MAX_FD is 253

// The steps' messages: what they are, then records; descriptors in the order of the records that
// speak of them.
constexpr char settle_step = 'r';
constexpr char start_step = 's';
// The process's last word, when the command is on its way: without it, it died before.
constexpr std::string_view ready_word = "+";

struct Message {
  std::string bytes;
  std::vector<os::Fd> descriptors;

  os::Fd next() {
    if (taken == descriptors.size()) fault(EPROTO, "take a descriptor that did not come");
    return std::move(descriptors[taken++]);
  }
  std::size_t taken = 0;
};

void send(const os::Fd& socket, const std::string& bytes, const std::vector<int>& descriptors) {
  if (bytes.size() > longest_message || descriptors.size() > most_descriptors)
    fault(EMSGSIZE, "tell the new sandbox what it is");
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * most_descriptors)] = {};
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const auto size = sizeof(int) * descriptors.size();
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(size);
    auto* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(rights), descriptors.data(), size);
  }
  if (sendmsg(socket.get(), &header, MSG_NOSIGNAL) < 0) fault("talk to the new sandbox");
}

// Ends the process when the spawner is gone or has given up.
Message receive(const os::Fd& socket) {
  Message message;
  message.bytes.resize(longest_message);
  iovec part{message.bytes.data(), message.bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * most_descriptors)];
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t size = 0;
  while ((size = recvmsg(socket.get(), &header, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) continue;
  if (size <= 0) _exit(1);
  message.bytes.resize(static_cast<std::size_t>(size));
  for (auto* rights = CMSG_FIRSTHDR(&header); rights != nullptr;
       rights = CMSG_NXTHDR(&header, rights))
    for (std::size_t at = 0; at + sizeof(int) <= rights->cmsg_len - CMSG_LEN(0);
         at += sizeof(int)) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(rights) + at, sizeof fd);
      message.descriptors.emplace_back(fd);
    }
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
    fault(EMSGSIZE, "hear what the sandbox is to be");
  return message;
}

struct Settling {
  os::Fd waiting_plan;
  std::vector<StackPart> stack;
};

Settling settling_in(Message& message) {
  Settling settling;
  auto& parts = settling.stack;
  std::string_view text(message.bytes);
  text.remove_prefix(1);
  for (Record record; next_record(text, record);) {
    if (record.tag == 't') parts.emplace_back().target = record.bytes;
    if (record.tag == 'l') parts.back().link_to = record.bytes;
    if (record.tag == 'd') parts.back().directory = true;
    if (record.tag == 'm') parts.back().mount = message.next();
    if (record.tag == 'W') settling.waiting_plan = message.next();
  }
  return settling;
}

HolderStart start_in(Message& message) {
  HolderStart start;
  std::string_view text(message.bytes);
  text.remove_prefix(1);
  for (Record record; next_record(text, record);) {
    const std::string value(record.bytes);
    switch (record.tag) {
      case 'h':
        start.root.host_name = value;
        break;
      case 'a':
        start.root.address = value;
        break;
      case 'r':
        start.root.resolver_configuration = value;
        break;
      case 't':
        start.root.memory_bytes = text::number(value).value_or(0);
        break;
      case 'A':
        start.root.app = message.next();
        break;
      case 'M':
        start.root.mounts.push_back({value, message.next()});
        break;
      case 'P':
        start.plan = message.next();
        break;
      case 'E':
        start.exit_file = message.next();
        break;
      case 'L':
        start.log_directory = message.next();
        break;
      case 'I':
        start.input = message.next().release();
        break;
      case 'O':
        start.output = message.next().release();
        break;
      default:
        break;
    }
  }
  return start;
}

// By descriptor: nothing in the sandbox is a path to it, and its bytes are sealed (CVE-2019-5736).
[[noreturn]] void execute(int init, const std::vector<int>& descriptors, const char* argument) {
  const int program = out_of_the_way(init);
  arrange_descriptors(descriptors);
  const char* const argv[] = {"renga-init", argument, nullptr};
  const char* const env[] = {nullptr};
  syscall(SYS_execveat, program, "", argv, env, AT_EMPTY_PATH);
  fault("execute renga-init");
}

// The process that will be the command, and how it is told to.
struct Waiting {
  os::Cloned process;
  os::Fd tell;
};

// A fork is enough: it leads nowhere, has given up its rights before it is told anything of the
// app's, and is the command's from its exec on. A program of its own would be a tenth of what a
// sandbox costs.
Waiting make_waiting(const os::Fd& plan) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fault("make a socket pair");
  os::Fd ours(ends[0]), theirs(ends[1]);
  auto process = os::fork_into(0);
  if (process.pid == 0) {
    try {
      const auto null = os::open_file("/dev/null", O_RDWR);
      arrange_descriptors({null.get(), null.get(), null.get(), plan.get(), theirs.get()});
      wait_to_become();
    } catch (const std::exception&) {
      _exit(126);
    }
  }
  return {std::move(process), std::move(ours)};
}

// What most commands have for their streams, and need not wait for.
struct Streams {
  os::Fd null = os::open_file("/dev/null", O_RDWR);
  struct Pipe {
    os::Fd read, write;
    Pipe() {
      int ends[2];
      if (pipe2(ends, O_CLOEXEC) != 0) fault("make a pipe");
      read = os::Fd(ends[0]);
      write = os::Fd(ends[1]);
    }
  } out, err;  // what the command writes, where it goes to the log
};

// Until it ends, or has had its head start.
void wait_for(const os::Fd& ending) {
  pollfd wait{ending.get(), POLLIN, 0};
  poll(&wait, 1, head_start_ms);
}

// Lets the command go, and becomes renga-init, which looks after it.
[[noreturn]] void finish(const HolderStart& start, const Waiting& command, const Streams& streams,
                         const os::Fd& socket, int init) {
  const int null = streams.null.get();
  send(
      command.tell, "g",
      {start.plan.get(), start.input.value_or(null), start.output.value_or(streams.out.write.get()),
       start.output.value_or(streams.err.write.get())});
  // Its end of the socket closes as it becomes the command. What comes next, at control and here,
  // where it is a program's start, would be in its way on a machine with few CPUs. Until then the
  // pipes keep what it writes, and the kernel how it ends.
  wait_for(command.tell);
  if (::send(socket.get(), ready_word.data(), ready_word.size(), MSG_NOSIGNAL) < 0) _exit(1);
  wait_for(command.process.pidfd);
  execute(init,
          {null, null, null, start.plan.get(), start.exit_file.get(),
           start.log_directory ? start.log_directory.get() : -1,
           start.output ? -1 : streams.out.read.get(), start.output ? -1 : streams.err.read.get()},
          std::to_string(command.process.pid).c_str());
}

// The process, from its first instruction. Whatever goes wrong is said over the socket.
[[noreturn]] void hold(const Cgroups::Group& group, os::Fd socket, int init) {
  try {
    // Nothing else of the spawner's may stay open while this waits: the ends of other holders'
    // sockets, and control's, must close when the spawner dies.
    std::vector<int*> kept;
    int talk = socket.release();
    std::vector<int> attach;
    for (const auto& file : group.attach) attach.push_back(file.get());
    kept.push_back(&talk);
    kept.push_back(&init);
    for (auto& file : attach) kept.push_back(&file);
    keep_only(kept);
    socket = os::Fd(talk);
    prctl(PR_SET_NAME, "renga-holder");
    signal(SIGCHLD, SIG_DFL);

    // What takes longest: on v1 a grace period of the kernel.
    for (const int file : attach) {
      if (write(file, "0", 1) != 1) fault("join the sandbox's control groups");
      close(file);
    }
    if (unshare(CLONE_NEWCGROUP) != 0) fault("make a control group namespace");

    auto settling = receive(socket);
    if (settling.bytes[0] != settle_step) fault(EPROTO, "hear whose the sandbox is");
    if (setgroups(0, nullptr) != 0 || setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0)
      fault("become the root of the sandbox");
    setsid();
    set_sandbox_limits();
    auto wanted = settling_in(settling);
    const auto root = enter_root(wanted.stack);
    wanted.stack.clear();
    const auto command = make_waiting(wanted.waiting_plan);
    wanted.waiting_plan.close();
    const Streams streams;

    auto starting = receive(socket);
    if (starting.bytes[0] != start_step) fault(EPROTO, "hear what the sandbox runs");
    const auto start = start_in(starting);
    if (sethostname(start.root.host_name.c_str(), start.root.host_name.size()) != 0)
      fault("set the sandbox's host name");
    furnish_root(root, start.root);
    socket = os::Fd(out_of_the_way(socket.get()));
    finish(start, command, streams, socket, init);
  } catch (const std::exception& error) {
    const std::string text = error.what();
    ::send(socket.get(), text.data(), std::min<std::size_t>(text.size(), 2000), MSG_NOSIGNAL);
  }
  _exit(1);
}

}  // namespace

Holder Holder::make(const Cgroups::Group& group, int init) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fault("make a socket pair");
  os::Fd ours(ends[0]), theirs(ends[1]);
  auto process = os::fork_into(
      CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
      group.v2 ? group.v2.get() : -1);
  if (process.pid == 0) hold(group, std::move(theirs), init);
  return {std::move(process), std::move(ours)};
}

void Holder::settle(std::uint32_t uid_base, const std::vector<StackPart>& stack, int waiting_plan) {
  os::map_ids(process_.pid, uid_base, ids);
  std::string bytes(1, settle_step);
  std::vector<int> descriptors{waiting_plan};
  add_record(bytes, 'W', "");
  for (const auto& part : stack) {
    add_record(bytes, 't', part.target);
    if (part.directory) add_record(bytes, 'd', "");
    if (!part.mount) {
      add_record(bytes, 'l', part.link_to);
      continue;
    }
    add_record(bytes, 'm', "");
    descriptors.push_back(part.mount.get());
  }
  send(socket_, bytes, descriptors);
}

void Holder::start(const HolderStart& with) {
  std::string bytes(1, start_step);
  std::vector<int> descriptors;
  add_record(bytes, 'h', with.root.host_name);
  add_record(bytes, 'a', with.root.address);
  add_record(bytes, 'r', with.root.resolver_configuration);
  add_record(bytes, 't', std::to_string(with.root.memory_bytes));
  const auto pass = [&](char tag, int fd, std::string_view text = {}) {
    add_record(bytes, tag, text);
    descriptors.push_back(fd);
  };
  if (with.root.app) pass('A', with.root.app.get());
  for (const auto& [target, mount] : with.root.mounts) pass('M', mount.get(), target);
  pass('P', with.plan.get());
  pass('E', with.exit_file.get());
  if (with.log_directory) pass('L', with.log_directory.get());
  if (with.input) pass('I', *with.input);
  if (with.output) pass('O', *with.output);
  send(socket_, bytes, descriptors);
}

bool Holder::has_answered() const {
  pollfd heard{socket_.get(), POLLIN, 0};
  return poll(&heard, 1, 0) != 0;
}

Result<void> Holder::wait_until_started() {
  pollfd heard{socket_.get(), POLLIN, 0};
  int count = 0;
  while ((count = poll(&heard, 1, start_limit_ms)) < 0 && errno == EINTR) continue;
  if (count == 0) fault(ETIMEDOUT, "wait for the new sandbox");
  char text[2048];
  auto size = recv(socket_.get(), text, sizeof text, 0);
  // A peer that ended with something unread: that is told once, and before what it had said
  // itself.
  if (size < 0 && errno == ECONNRESET) size = recv(socket_.get(), text, sizeof text, 0);
  if (size < 0 && errno != ECONNRESET) fault("listen to the new sandbox");
  if (size <= 0) return fail(Kind::unavailable, "its first process was killed");
  const std::string_view word(text, static_cast<std::size_t>(size));
  if (word != ready_word) return fail(Kind::unavailable, std::string(word));
  return {};
}

void Holder::kill() {
  if (process_.pidfd) syscall(SYS_pidfd_send_signal, process_.pidfd.get(), SIGKILL, nullptr, 0);
}

}  // namespace renga::sandbox
