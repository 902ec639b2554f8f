// What control and the hook say to each other over the unix socket: frames of a kind, a length
// (four bytes, most significant first) and bytes. Private to this room. Blocking calls on a
// descriptor that the caller owns.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "os/fd.h"

namespace renga::git {

struct Frame {
  static constexpr std::size_t most = 1 << 20;  // bytes
  // 'd': deploy, lines "secret", "commit", "description", "archive's name", and one "<from>
  // <branch>" for each branch that it moves, from the hook. 'o': output, 'x': the exit status as a
  // number, from control.
  char kind = 0;
  std::string bytes;
};

// False when the other side is gone or takes nothing for a minute.
bool send(int socket, const Frame& frame);
// Nothing when the other side is gone, breaks the protocol, or (with a limit) says nothing for so
// long.
std::optional<Frame> receive(int socket, std::optional<std::chrono::milliseconds> limit = {});

// Sockets of any path's length: a unix socket's address has room for 107 bytes only. Throw on
// failure.
os::Fd listen_at(const std::filesystem::path& path);  // mode 0600
os::Fd connect_to(const std::filesystem::path& path);

}  // namespace renga::git
