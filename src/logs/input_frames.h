// What writes into an app's log from outside sends: syslog messages (RFC 5424), each behind its
// length (RFC 6587, "octet counting"), as application/logplex-1 has them: "64 <190>1
// 2026-01-05T10:00:00+00:00 host app web.1 - - hello". A value; pure.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"

namespace renga::logs {

struct InputFrame {
  std::string_view app, process;  // "-": not said
  std::string_view message;       // a view of the body; it may have line ends
};

inline constexpr std::size_t most_input_frames = 10'000;  // in one body

// Kind::invalid: where the body stops being frames; nothing of it is used then.
Result<std::vector<InputFrame>> input_frames(std::string_view body);

}  // namespace renga::logs
