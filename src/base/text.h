// Small questions about text that the standard library leaves open. All are ASCII: protocol text,
// names and configuration, never prose.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace renga::text {

std::string_view trim(std::string_view text);  // spaces, tabs, CR and LF at both ends
std::string lower(std::string_view text);
std::string upper(std::string_view text);
bool equals_ignoring_case(std::string_view a, std::string_view b);

// "a,b,,c" at ',' gives "a","b","","c"; an empty text gives one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);
// At the first separator; without one the second half is empty.
std::pair<std::string_view, std::string_view> split_once(std::string_view text, char separator);
// Lines without their ends; both LF and CRLF end a line, and a last line needs no end.
std::vector<std::string_view> lines(std::string_view text);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string replace_all(std::string text, std::string_view from, std::string_view to);

// The whole text as a decimal number with an optional sign; nothing else, and no overflow.
std::optional<std::int64_t> number(std::string_view text);

std::string hex(std::span<const unsigned char> bytes);
std::string base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);  // padded or not
std::string url_decode(std::string_view text);                  // %41 only; '+' stays
std::string url_encode(std::string_view text);                  // all but unreserved characters
// "a=1&b=%20" as a map, with '+' read as a space; a later key wins.
std::map<std::string, std::string> query(std::string_view text);

// For a POSIX shell: wrapped in single quotes unless it is plainly safe without.
std::string shell_quote(std::string_view word);
// For a log line or a terminal: control characters as \xNN, so that nobody's bytes move the cursor.
std::string printable(std::string_view text);

}  // namespace renga::text
