// The command that a sandbox is for: started as the sandbox's user, with nothing that could widen
// what it may do.
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <cstddef>
#include <string_view>

namespace renga::sandbox {

// The plan, read: everything points into the memory it was mapped from or allocated for, for the
// life of the process.
struct Plan {
  char** argv = nullptr;
  char** env = nullptr;
  const char* working_directory = "/";
  bool beside = false;               // see become_beside()
  int forward_port = 0;              // instead of argv
  const char* log_socket = nullptr;  // null: no log
  std::string_view log_greeting;
  sock_fprog filter = {};
};

// Ends the process with a message when the plan cannot be read: the spawner wrote it, so it is a
// fault.
Plan read_plan(int fd);

// Empties the bounding and ambient sets, and takes away every capability but `keep` (a mask of 1 <<
// CAP_X). The bounding set can only be emptied while CAP_SETPCAP is there: the first call does it.
void keep_capabilities(unsigned long long keep);

// What renga-init and the process that will be the command do first: they cannot be looked into,
// hear no signal, and keep no capability but those that they still need.
void withdraw();

// This process, with a plan and a socket where init_plan.h says, confines itself, so far with what
// every command has in common, and becomes the command that it is told. Nothing is left open but 0,
// 1 and 2.
[[noreturn]] void wait_to_become();

// This process becomes the command, with the streams it has, or forwards to a port: beside what a
// sandbox runs.
[[noreturn]] void become_beside(const Plan& plan);

// No new privileges, and the plan's policy for system calls. False with errno.
bool confine(const Plan& plan);

[[noreturn]] void die(const char* attempted);

}  // namespace renga::sandbox
