#include "builds/procfile.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace renga::builds {
namespace {

constexpr std::size_t longest_type = 63;  // a host name's part: the type is in a dyno's

bool is_type_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

std::unexpected<Error> refused(std::size_t number, std::string_view line, std::string_view why) {
  constexpr std::size_t shown = 80;
  return fail(Kind::invalid, fmt::format("Procfile, line {}: \"{}{}\" {}", number,
                                         text::printable(line.substr(0, shown)),
                                         line.size() > shown ? "…" : "", why));
}

}  // namespace

bool is_process_type(std::string_view name) {
  return !name.empty() && name.size() <= longest_type &&
         std::ranges::all_of(name, is_type_character);
}

Result<Procfile> Procfile::parse(std::string_view text) {
  if (text.size() > size_limit)
    return fail(Kind::invalid, fmt::format("The Procfile is larger than {} KB.", size_limit >> 10));
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";  // some Windows editors write one
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());

  Procfile procfile;
  std::size_t number = 0;
  for (const auto line : text::lines(text)) {
    ++number;
    const auto trimmed = text::trim(line);
    if (trimmed.empty() || trimmed.starts_with('#')) continue;
    if (line.find('\0') != std::string_view::npos)
      return refused(number, line, "holds a NUL byte.");

    const auto colon = line.find(':');
    const auto type = line.substr(0, colon);
    if (colon == std::string_view::npos || type.empty() ||
        !std::ranges::all_of(type, is_type_character))
      return refused(
          number, line,
          "is not a process type and its command. Write it as \"web: command\", with letters, "
          "digits, '-' and '_' before the colon.");
    if (type.size() > longest_type)
      return refused(number, line,
                     fmt::format("has a type of more than {} characters.", longest_type));
    const auto command = text::trim(line.substr(colon + 1));
    if (command.empty()) return refused(number, line, "has no command after the colon.");
    procfile.types[std::string(type)] = command;
  }
  return procfile;
}

}  // namespace renga::builds
