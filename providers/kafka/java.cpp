#include "kafka/java.h"

#include <string>
#include <string_view>

#include "base/text.h"

namespace renga::kafka {
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t oldest = 17;
constexpr std::string_view begins = "java-", word = "-openjdk-";

}  // namespace

std::optional<Java> Java::find() {
  std::optional<Java> best;
  std::int64_t newest = 0;
  std::error_code none;
  // "java-17-openjdk-amd64"
  for (const auto& entry : fs::directory_iterator("/usr/lib/jvm", none)) {
    const auto name = entry.path().filename().string();
    const auto end = name.find(word);
    if (!name.starts_with(begins) || end == std::string::npos || entry.is_symlink()) continue;
    const auto number = name.substr(begins.size(), end - begins.size());
    const auto version = text::number(number).value_or(0);
    if (version < oldest || version <= newest || !fs::exists(entry.path() / "bin/java")) continue;
    newest = version;
    best = Java{entry.path() / "bin/java", {}};
    const auto settings = fs::path("/etc/java-" + number + "-openjdk");
    if (fs::is_directory(settings)) best->mounts = {{settings, settings, false}};
  }
  return best;
}

}  // namespace renga::kafka
