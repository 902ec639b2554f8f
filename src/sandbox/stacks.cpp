#include "sandbox/stacks.h"

#include <fmt/format.h>

#include <algorithm>

namespace renga::sandbox {
namespace fs = std::filesystem;

std::vector<std::string> Stacks::names() const {
  std::vector<std::string> all;
  std::error_code none;  // no directory, no stacks
  for (const auto& entry : fs::directory_iterator(directory_, none)) {
    auto name = entry.path().filename().string();
    // One that is being made, or on its way out, has a name with a dot.
    if (!name.starts_with('.') && fs::exists(entry.path() / "stack", none))
      all.push_back(std::move(name));
  }
  std::ranges::sort(all, std::greater());
  all.emplace_back("host");
  return all;
}

Result<std::string> Stacks::root(const std::string& name, StackVariant variant) const {
  if (name == "host") return name;
  const auto all = names();
  if (std::ranges::find(all, name) == all.end())
    return fail(Kind::unavailable,
                fmt::format("The stack {} is not installed on this server. Its operator installs "
                            "it with: renga stacks:install {}",
                            name, name));
  return (directory_ / name / (variant == StackVariant::build ? "build" : "run")).string();
}

}  // namespace renga::sandbox
