#include "builds/build_output.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace renga::builds {

std::string readable_size(std::int64_t bytes) {
  constexpr std::string_view units = "KMGT";
  auto size = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // 1023.95 would be written as 1024.0.
  while (size >= 1023.95 && unit + 1 < units.size()) {
    size /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f}{}", size, units[unit]);
}

std::string deploy_description(std::string_view version) {
  constexpr std::size_t commit_length = 40, shown_of_commit = 8, longest = 100;
  if (version.empty()) return "Deploy";
  const bool is_commit = version.size() == commit_length &&
                         version.find_first_not_of("0123456789abcdef") == version.npos;
  return "Deploy " + text::printable(version.substr(0, is_commit ? shown_of_commit : longest));
}

std::vector<std::string> process_type_lines(const releases::ProcessTypes& declared,
                                            const std::vector<std::string>& defaults,
                                            bool has_procfile) {
  std::vector<std::string> types;
  for (const auto& [type, command] : declared) types.push_back(type);
  const auto list =
      has_procfile && !types.empty() ? text::join(types, ", ") : std::string("(none)");
  if (defaults.empty()) return {"       Procfile declares types -> " + list};
  return {"       Procfile declares types     -> " + list,
          "       Default types for buildpack -> " + text::join(defaults, ", ")};
}

}  // namespace renga::builds
