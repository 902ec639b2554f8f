// Forwarding: bytes between standard input and output and a port of the sandbox's own loopback, as
// an unprivileged process of the sandbox.
#pragma once

namespace renga::sandbox {

// Until both sides are done. Exit status 0, or 1 when nobody listens there.
[[noreturn]] void forward(int port);

}  // namespace renga::sandbox
