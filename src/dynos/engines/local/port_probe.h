// Whether somebody accepts connections there. Connects and hangs up again.
#pragma once

#include <chrono>
#include <string>

namespace renga::dynos {

// `address` is a numeric IPv4 address. Takes at most `limit`: over a veth the kernel answers at
// once, with a handshake or with a refusal; only a full backlog keeps silent.
bool accepts_connections(const std::string& address, int port, std::chrono::milliseconds limit);

}  // namespace renga::dynos
