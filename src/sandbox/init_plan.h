// What the spawner hands to renga-init: descriptors by number, and the plan, records in a memfd.
// Never arguments or environment of renga-init, since the plan holds the app's secrets.
#pragma once

namespace renga::sandbox::init_plan {

// The program is two things, by what is in its plan. Process 1 looks after a command that is there
// already: its one argument says which process. The other (`beside`) becomes a command at once. The
// process that waits to be process 1's command (command.h) has a plan, too: the policy alone.
inline constexpr int plan_fd = 3;  // at first, of all three
// Of process 1; 0, 1 and 2 are nothing.
inline constexpr int exit_fd = 4;           // the exit file, open for writing
inline constexpr int log_directory_fd = 5;  // where the log socket is; absent without one
inline constexpr int out_fd = 6;            // what the command writes, to be read; absent when
inline constexpr int err_fd = 7;            // it goes elsewhere
// Of the one that waits: a socket, on which one byte comes, with four descriptors: its plan, and
// what are to be 0, 1 and 2.
inline constexpr int wait_fd = 4;

// Tags of the records.
inline constexpr char argument = 'a';           // argv, in order
inline constexpr char variable = 'e';           // NAME=value
inline constexpr char working_directory = 'd';  // seen from inside
inline constexpr char log_socket = 's';         // the socket's name in its directory
inline constexpr char log_greeting = 'g';       // the first line to say there, with its newline
// Not process 1, but a command beside what the sandbox runs: becomes it at once.
inline constexpr char beside = 'b';        // no bytes
inline constexpr char forward_port = 'p';  // decimal: instead of argv, see sandbox/exec.h
inline constexpr char filter = 'f';        // the system call policy: struct sock_filter[]

// The sandbox's one user.
inline constexpr unsigned user = 1000;

}  // namespace renga::sandbox::init_plan
