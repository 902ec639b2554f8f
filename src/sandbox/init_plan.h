// What the spawner hands to renga-init: descriptors by number, and the plan, records in a memfd.
// Never arguments or environment of renga-init, since the plan holds the app's secrets.
#pragma once

namespace renga::sandbox::init_plan {

// Descriptors of renga-init when it starts. 0 is the command's input. 1 and 2 are its output when
// `direct_output` is in the plan, and else unused.
inline constexpr int plan_fd = 3;
inline constexpr int exit_fd = 4;           // the exit file, open for writing
inline constexpr int log_directory_fd = 5;  // where the log socket is; absent without one

// Tags of the records.
inline constexpr char argument = 'a';           // argv, in order
inline constexpr char variable = 'e';           // NAME=value
inline constexpr char working_directory = 'd';  // seen from inside
inline constexpr char direct_output = 'o';      // no bytes
inline constexpr char log_socket = 's';         // the socket's name in its directory
inline constexpr char log_greeting = 'g';       // the first line to say there, with its newline
// Not process 1, but a command beside what the sandbox runs: becomes it at once.
inline constexpr char beside = 'b';        // no bytes
inline constexpr char forward_port = 'p';  // decimal: instead of argv, see sandbox/exec.h
inline constexpr char filter = 'f';        // the system call policy: struct sock_filter[]

// The sandbox's one user.
inline constexpr unsigned user = 1000;

}  // namespace renga::sandbox::init_plan
