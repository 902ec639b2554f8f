#include "local/env_file.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/text.h"
#include "os/file.h"

namespace renga::local {
namespace {

namespace json = boost::json;

constexpr std::size_t size_limit = 1u << 20;  // bytes of one file

// What the kernel takes as an entry of an environment.
bool fits(std::string_view name, std::string_view value) {
  return !name.empty() && name.find('=') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos && value.find('\0') == std::string_view::npos;
}

void flatten(const json::value& value, const std::string& name, Environment& into) {
  const auto below = [&](std::string_view key) {
    return name.empty() ? text::upper(key) : name + "_" + text::upper(key);
  };
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) flatten(member.value(), below(member.key()), into);
  } else if (const auto* array = value.if_array()) {
    std::size_t index = 0;
    for (const auto& element : *array) flatten(element, below(std::to_string(index++)), into);
  } else {
    std::string plain;
    if (const auto* string = value.if_string())
      plain = *string;
    else if (!value.is_null())
      plain = json::serialize(value);
    if (fits(name, plain)) into[name] = plain;
  }
}

std::string_view value_of(std::string_view text) {
  text = text::trim(text);
  if (text.starts_with('"') || text.starts_with('\'')) {
    const auto end = text.find(text[0], 1);
    // A quote that nothing closes is part of the value.
    return end == std::string_view::npos ? text : text.substr(1, end - 1);
  }
  for (auto at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1))
    if (at == 0 || text[at - 1] == ' ' || text[at - 1] == '\t')
      return text::trim(text.substr(0, at));
  return text;
}

}  // namespace

Environment parse_env(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";  // some Windows editors write one
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());

  Environment all;
  if (text::trim(text).starts_with('{')) {
    boost::system::error_code failed;
    const auto value = json::parse(text, failed);
    if (!failed && value.is_object()) {
      flatten(value, "", all);
      return all;
    }
  }
  for (auto line : text::lines(text)) {
    line = text::trim(line);
    if (line.size() < 3 || line.starts_with('#')) continue;
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    auto name = text::trim(line.substr(0, equals));
    constexpr std::string_view exported = "export ";
    if (name.starts_with(exported)) name = text::trim(name.substr(exported.size()));
    const auto value = value_of(line.substr(equals + 1));
    if (fits(name, value)) all[std::string(name)] = value;
  }
  return all;
}

Result<Environment> read_env_files(const std::filesystem::path& directory, std::string_view names) {
  const bool named = !names.empty();
  Environment all;
  for (const auto name : text::split(named ? names : ".env", ',')) {
    if (text::trim(name).empty()) continue;
    const auto path = directory / text::trim(name);
    std::error_code unknown;
    const bool is_file =
        std::filesystem::exists(path, unknown) && !std::filesystem::is_directory(path, unknown);
    if (!is_file) {
      if (!named) continue;
      return fail(Kind::not_found, fmt::format("There is no env file {}. Write NAME=value lines "
                                               "into it, or leave -e out.",
                                               path.string()));
    }
    const auto text = os::read_file(path, size_limit + 1);
    if (!text) continue;
    if (text->size() > size_limit)
      return fail(Kind::too_large,
                  fmt::format("{} is larger than {} KB.", path.string(), size_limit >> 10));
    for (auto& [key, value] : parse_env(*text)) all[key] = value;
  }
  return all;
}

}  // namespace renga::local
