// A process of the Procfile, started in a session of its own, and everything that came from it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "local/env_file.h"
#include "os/fd.h"

namespace renga::local {

enum class Streams { pipe, terminal };

struct Started {
  pid_t pid = -1;
  os::Fd output;  // both of its outputs in their order; non-blocking, close-on-exec
};

// `/bin/sh -c COMMAND` with exactly this environment. With Streams::terminal its three streams are
// a terminal of its own, else its outputs are one pipe and its input is `input`. It has every
// signal's default and an empty mask, and gets SIGTERM if we die. Throws std::system_error.
Started start_shell(const std::string& command, const Environment& environment,
                    const std::filesystem::path& directory, Streams streams, int input);

// Tells a terminal its size, as ours has it; no-op for pipes or when we have none.
void copy_window_size(int from, int terminal);

// A person's keys are echoed and lines begin at the left while one is attached, unless the program
// took the terminal's modes into its own hands; and as before when nobody is.
enum class Echo { off, on };
void set_echo(int terminal, Echo echo);

// All processes below `root` now, whatever session they made themselves. From /proc.
std::vector<pid_t> descendants(pid_t root);
// Our own children whose environment began with this entry ("PS=web.1"): those that a process of
// that name left behind.
std::vector<pid_t> orphans_with(const std::string& entry);

}  // namespace renga::local
