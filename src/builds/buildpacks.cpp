#include "builds/buildpacks.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/fault.h"
#include "base/text.h"
#include "builds/procfile.h"

namespace renga::builds {
namespace fs = std::filesystem;

std::vector<Buildpack> Buildpacks::offered() const {
  const auto path = directory_ / "order.txt";
  std::ifstream file(path);
  if (!file) fault(ENOENT, "read " + path.string());
  const std::string order{std::istreambuf_iterator<char>(file), {}};

  std::vector<Buildpack> all;
  for (const auto line : text::lines(order)) {
    const auto name = text::trim(line);
    if (!name.empty() && !name.starts_with('#'))
      all.push_back({"heroku/" + std::string(name), std::string(name)});
  }
  return all;
}

Result<Buildpack> Buildpacks::find(std::string_view name) const {
  constexpr std::string_view urn = "urn:buildpack:";
  const auto asked = name;
  if (name.starts_with(urn)) name.remove_prefix(urn.size());
  const auto all = offered();
  const auto found = std::ranges::find_if(
      all, [&](const Buildpack& each) { return each.name == name || each.directory == name; });
  if (found != all.end()) return *found;

  std::vector<std::string> names;
  for (const auto& each : all) names.push_back(each.name);
  const auto list = text::join(names, ", ");
  if (name.find("://") != std::string_view::npos || name.starts_with("git@"))
    return fail(
        Kind::unsupported,
        fmt::format("Buildpacks from URLs are not offered by this server yet: {}. Offered are: {}.",
                    text::printable(asked), list));
  return fail(Kind::invalid,
              fmt::format("There is no buildpack {} on this server. Offered are: {}.",
                          text::printable(asked), list));
}

Result<releases::ProcessTypes> default_process_types(std::string_view yaml) {
  const auto refused = [](std::string_view why) {
    return fail(Kind::invalid,
                fmt::format("The buildpack's bin/release printed something unusable: {}.", why));
  };
  releases::ProcessTypes types;
  // yaml-cpp reports what it refuses by exceptions; they end here.
  try {
    const auto root = YAML::Load(std::string(yaml));
    if (!root.IsDefined() || root.IsNull()) return types;
    if (!root.IsMap()) return refused("it is not a map");
    const auto declared = root["default_process_types"];
    if (!declared || declared.IsNull()) return types;
    if (!declared.IsMap()) return refused("default_process_types is not a map");
    for (const auto& entry : declared) {
      const auto type = entry.first.as<std::string>();
      if (!is_process_type(type))
        return refused(fmt::format("\"{}\" is no process type", text::printable(type)));
      types[type] = entry.second.as<std::string>();
    }
  } catch (const YAML::Exception& wrong) {
    return refused(text::printable(wrong.what()));
  }
  return types;
}

}  // namespace renga::builds
