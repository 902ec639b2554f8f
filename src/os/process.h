// Child processes of the plain kind: a program with arguments, its output collected or streamed.
// Never a shell. (Sandboxes are another thing: see sandbox/.) A child gets its three standard
// streams and no other descriptor, an empty signal mask and every signal's default.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/fd.h"

namespace renga::os {

struct Command {
  std::vector<std::string> argv;                // argv[0] is looked up in PATH
  std::map<std::string, std::string> env = {};  // added to the caller's environment
  bool clear_env = false;                       // only `env`
  std::filesystem::path directory = {};         // empty: the caller's
  // A process group of its own, so that signals and kills reach its children too.
  bool own_group = false;
};

struct Output {
  int status = 0;  // exit status, or 128 + signal
  std::string out;
  std::string err;
};

// Runs it to its end, with `input` on standard input. Kills it and throws after `limit`; throws
// std::system_error when it cannot be started. At most 64 MiB of each output are kept, the rest is
// read and dropped. A grandchild that keeps the pipes open is waited for no longer than a second
// after the child.
Output run(const Command& command, std::string_view input = {},
           std::chrono::milliseconds limit = std::chrono::minutes(1));

// A child whose standard streams are pipes (or descriptors handed over). Killed and reaped with its
// owner. Belongs to one thread. Whoever writes to in() must expect EPIPE, and so ignore or block
// SIGPIPE.
class Child {
 public:
  struct Streams {
    // Handed to the child as they are; else pipes, with err going where out goes.
    std::optional<int> in = {}, out = {}, err = {};
    bool separate_err = false;
    std::vector<int> extra = {};  // become the child's descriptors 3, 4, ...
  };
  explicit Child(const Command& command) : Child(command, Streams()) {}
  Child(const Command& command, Streams streams);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Fd& in() { return in_; }
  Fd& out() { return out_; }
  Fd& err() { return err_; }
  int pid() const { return pid_; }
  void signal(int number);  // no-op once it has been waited for
  int wait();               // exit status, or 128 + signal
  std::optional<int> wait_for(std::chrono::milliseconds limit);

 private:
  void spawn(const Command& command, const std::vector<int>& descriptors);

  int pid_ = -1;
  bool own_group_ = false;
  Fd pidfd_;
  Fd in_, out_, err_;
  std::optional<int> status_;
};

}  // namespace renga::os
