#include "local/foreman_file.h"

#include "base/text.h"
#include "os/file.h"

namespace renga::local {

std::map<std::string, std::string> parse_foreman_file(std::string_view text) {
  std::map<std::string, std::string> defaults;
  for (const auto line : text::lines(text)) {
    const auto colon = line.find(':');
    if (line.starts_with('#') || line.starts_with(' ') || colon == std::string_view::npos) continue;
    auto name = std::string(text::trim(line.substr(0, colon)));
    auto value = text::trim(line.substr(colon + 1));
    const char quote = value.empty() ? '\0' : value.front();
    if (quote == '"' || quote == '\'') {
      const auto end = value.find(quote, 1);
      if (end == std::string_view::npos) continue;
      value = value.substr(1, end - 1);
    } else {
      value = text::trim(value.substr(0, value.find(" #")));
    }
    if (name.empty() || value.empty() || value.find('\0') != std::string_view::npos) continue;
    if (name == "concurrency") name = "formation";  // foreman's older word
    defaults[name] = value;
  }
  return defaults;
}

std::map<std::string, std::string> read_foreman_file(const std::filesystem::path& directory) {
  const auto path = directory / ".foreman";
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(path, unknown)) return {};
  constexpr std::size_t size_limit = 64u << 10;
  return parse_foreman_file(os::read_file(path, size_limit).value_or(""));
}

}  // namespace renga::local
