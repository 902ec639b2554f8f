#include "api/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <concepts>

namespace renga::api {
namespace {

namespace json = boost::json;

// How many bytes the UTF-8 sequence at `at` has, or 0 when there is none that is valid.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  std::size_t length = 0;
  unsigned char low = 0x80,
                high = 0xBF;  // of the second byte: no overlong forms, surrogates or > U+10FFFF
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;
  if (length == 0 || at + length > text.size()) return 0;
  if (byte(at + 1) < low || byte(at + 1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i)
    if (byte(at + i) < 0x80 || byte(at + i) > 0xBF) return 0;
  return length;
}

void write_escaped(std::string& out, char c) {
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (c == '\n') {
    out += "\\n";
  } else if (c == '\r') {
    out += "\\r";
  } else if (c == '\t') {
    out += "\\t";
  } else {
    out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
  }
}

void write_text(std::string& out, std::string_view text) {
  // Most of what there is to write needs no thought, and is copied in runs as long as they come.
  const auto is_plain = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
  };
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const auto run = static_cast<std::size_t>(
        std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_plain) -
        text.begin());
    out.append(text, at, run - at);
    at = run;
    if (at == text.size()) break;

    const auto length = sequence_length(text, at);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      ++at;
    } else if (length == 1) {
      write_escaped(out, text[at++]);
    } else {
      out.append(text, at, length);
      at += length;
    }
  }
  out += '"';
}

void write_number(std::string& out, std::integral auto number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void write(std::string& out, const json::value& value, std::size_t depth) {
  const auto line = [&](std::size_t at) { out.append(1, '\n').append(2 * at, ' '); };
  if (value.is_string()) {
    write_text(out, value.get_string());
  } else if (value.is_object()) {
    const auto& object = value.get_object();
    out += '{';
    bool first = true;
    for (const auto& [key, member] : object) {
      if (!first) out += ',';
      first = false;
      line(depth + 1);
      write_text(out, key);
      out += ": ";
      write(out, member, depth + 1);
    }
    if (!first) line(depth);
    out += '}';
  } else if (value.is_array()) {
    out += '[';
    bool first = true;
    for (const auto& element : value.get_array()) {
      if (!first) out += ',';
      first = false;
      line(depth + 1);
      write(out, element, depth + 1);
    }
    if (!first) line(depth);
    out += ']';
  } else if (value.is_double() && !std::isfinite(value.get_double())) {
    out += "null";  // 1e999 is read as infinite, for which JSON has no word
  } else if (value.is_double()) {
    out += fmt::format("{}", value.get_double());  // 0.5, where Boost writes 5E-1
  } else if (value.is_int64()) {
    write_number(out, value.get_int64());
  } else if (value.is_uint64()) {
    write_number(out, value.get_uint64());
  } else if (value.is_bool()) {
    out += value.get_bool() ? "true" : "false";
  } else {
    out += "null";
  }
}

}  // namespace

std::string json_text(const json::value& value) {
  std::string out;
  write(out, value, 0);
  out += '\n';
  return out;
}

}  // namespace renga::api
