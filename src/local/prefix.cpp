#include "local/prefix.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace renga::local {
namespace {

constexpr std::array<std::string_view, 12> cycle = {
    "\x1b[36m",   "\x1b[33m",   "\x1b[32m",   "\x1b[35m",   "\x1b[31m",   "\x1b[34m",
    "\x1b[36;1m", "\x1b[33;1m", "\x1b[32;1m", "\x1b[35;1m", "\x1b[31;1m", "\x1b[34;1m"};
constexpr std::string_view bright_white = "\x1b[37;1m", reset = "\x1b[0m";

}  // namespace

Prefix prefix_of(std::string_view name, std::size_t width, std::size_t index, Colour colour) {
  const bool on = colour == Colour::on;
  return {fmt::format("{:{}}", name, width), on ? cycle[index % cycle.size()] : "",
          on ? reset : ""};
}

Prefix system_prefix(std::size_t width, Colour colour) {
  const bool on = colour == Colour::on;
  return {fmt::format("{:{}}", "system", width), on ? bright_white : "", on ? reset : ""};
}

std::string_view WallTime::now() {
  const auto second = std::time(nullptr);
  if (second != second_) {
    std::tm parts{};
    localtime_r(&second, &parts);
    std::strftime(text_, sizeof text_, "%H:%M:%S", &parts);
    second_ = second;
  }
  return text_;
}

void append_line(std::string& out, const Prefix& prefix, std::string_view time,
                 std::string_view line) {
  out.append(prefix.begin);
  if (!time.empty()) out.append(time).append(" ");
  out.append(prefix.name).append(" | ");
  out.append(prefix.end).append(line).append("\n");
}

std::size_t Lines::before_character(std::string_view text, std::size_t limit) {
  auto cut = limit;
  // A byte 10xxxxxx goes on with a character; none is longer than four bytes.
  while (cut > limit - 3 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
  return (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80 ? limit : cut;
}

}  // namespace renga::local
