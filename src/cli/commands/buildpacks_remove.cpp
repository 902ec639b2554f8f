#include <fmt/format.h>

#include <algorithm>

#include "cli/buildpack_list.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  auto all = TRY(installed_buildpacks(context));
  const auto index = TRY(index_flag(context, all.size()));
  if (index.has_value() != context.arguments.empty())
    return fail(Kind::invalid, "Which buildpack? Give its name, or its place with --index.");
  auto found = all.end();
  if (index)
    found = all.begin() + static_cast<std::ptrdiff_t>(*index - 1);
  else
    found = std::ranges::find_if(all, [&](const std::string& name) {
      return name == context.arguments[0] || name == "heroku/" + context.arguments[0];
    });
  if (found == all.end())
    return fail(Kind::not_found,
                fmt::format("{} has no buildpack {}.", TRY(context.app()), context.arguments[0]));
  all.erase(found);
  return install_buildpacks(context, all);
}

}  // namespace

Command buildpacks_remove() {
  return {.name = "buildpacks:remove",
          .usage = "[BUILDPACK]",
          .summary = "remove a buildpack, by its name or place",
          .help = R"()",
          .flags = {app_flag, buildpack_index_flag},
          .run = run};
}

}  // namespace renga::cli
