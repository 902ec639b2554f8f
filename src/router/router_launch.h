// Starting the router's process: detached from control in every way but the descriptors it is
// given.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "os/fd.h"
#include "router/listeners.h"
#include "router/router_link.h"

namespace renga::router {

// Runs `renga router` in a session of its own, its output appended to DIR/router/router.log, with
// these listening sockets and this lock. Returns its process id; it is the caller's child, to be
// reaped. Throws std::system_error when it cannot be started.
int launch_router(const RouterLinkOptions& options, const Sockets& sockets, const os::Fd& lock);

// The process id that router.lock names, if a process of that number runs `renga router` in this
// directory; else 0.
int running_router(const std::filesystem::path& directory);

// Whether this process was started from another file than `program` is by now: after an upgrade.
bool runs_another_program(int pid, const std::filesystem::path& program);

}  // namespace renga::router
