// What request and response heads share: lines, field lines and the fields that frame the body.
// Private to http/.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "http/parser.h"

namespace renga::http::detail {

[[gnu::cold]] Parsed refused(Flaw flaw, std::string_view reason);
inline Parsed complete() { return {Parse::complete, Flaw::none, {}}; }

// Appends the field of one line, which its CRLF follows.
Parsed parse_field(std::string_view line, const Limits& limits, std::vector<Field>& fields,
                   FieldNotes& notes);

// The fields that say how a message is framed and how the connection goes on.
struct Control {
  const Field* content_length = nullptr;
  const Field* host = nullptr;
  const Field* upgrade = nullptr;
  bool has_transfer_encoding = false;
  bool close = false;
  bool keep_alive = false;
  bool nominates_upgrade = false;
  bool expects = false;
  bool expects_continue = false;
  std::uint64_t length = 0;  // of content_length
};
// Refuses more than one Content-Length or Host, a bad length, and any coding but one "chunked".
Parsed read_control(const std::vector<Field>& fields, const FieldNotes& notes, Control& control);

// Moves a view from the old buffer to the new one; views into neither (static text) stay.
void rebase(std::string_view& view, const char* from, const char* to, std::size_t size);

}  // namespace renga::http::detail
