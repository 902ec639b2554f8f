// Server-Sent Events as text. Private to this room.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace renga::logs::sse {

inline constexpr std::string_view ping = ": ping\n\n";

bool wanted(const http::Request& request);
// The id the client saw last, when it is one of ours.
std::optional<std::uint64_t> last_event_id(const http::Request& request);

// One event of all lines in `text`. A carriage return ends a line as well, as the format wants it.
void append_event(std::string& out, std::optional<std::uint64_t> id, std::string_view text);

http::Response response(bool events);

}  // namespace renga::logs::sse
