#include "cli/buildpack_list.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"

namespace renga::cli {
namespace json = boost::json;

Result<std::vector<std::string>> installed_buildpacks(Context& context) {
  const auto path = TRY(context.path("/buildpack-installations"));
  const auto installed = TRY(TRY(context.platform())->get(path));
  std::vector<std::string> all;
  for (const auto& one : installed.as_array()) all.push_back(text_at(one, "buildpack.name"));
  return all;
}

Result<int> install_buildpacks(Context& context, const std::vector<std::string>& buildpacks) {
  json::array updates;
  for (const auto& name : buildpacks) updates.push_back(json::object{{"buildpack", name}});
  const auto path = TRY(context.path("/buildpack-installations"));
  const auto installed =
      TRY(TRY(context.platform())->put(path, json::object{{"updates", updates}}));
  std::vector<std::string> names;
  for (const auto& one : installed.as_array()) names.push_back(text_at(one, "buildpack.name"));
  context.terminal.say(
      names.empty()
          ? fmt::format("Buildpacks of {} cleared. The next build chooses one.", TRY(context.app()))
          : fmt::format("Buildpacks of {} set. The next build uses {}.", TRY(context.app()),
                        text::join(names, ", ")));
  return 0;
}

Result<std::optional<std::size_t>> index_flag(Context& context, std::size_t most) {
  if (!context.has("index")) return std::nullopt;
  const auto number = text::number(context.flag("index"));
  if (!number || *number < 1 || static_cast<std::size_t>(*number) > most)
    return fail(Kind::invalid, fmt::format("--index takes a number from 1 to {}.", most));
  return static_cast<std::size_t>(*number);
}

}  // namespace renga::cli
