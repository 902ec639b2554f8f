// attach(): this process's terminal or pipes, joined to an attached one-off dyno. The protocol is
// net/frames.h over TLS behind the secret of a rendezvous:// URL.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace renga::client {

struct AttachOptions {
  std::filesystem::path ca;  // PEM file to trust; empty: the system's
  bool verify = true;        // false only where the API itself was reached in clear on loopback
  bool terminal = false;     // `input` is one: raw while attached, its size is passed on
  int input = 0;
  int output = 1;
};

// Returns when the dyno has ended: with its exit status. Blocks the calling thread, and needs
// SIGPIPE ignored. Kind::unavailable: not reached, not trusted, or the connection broke; the
// message says which. The terminal is as before in any case.
Result<int> attach(const std::string& rendezvous_url, const AttachOptions& options);

}  // namespace renga::client
