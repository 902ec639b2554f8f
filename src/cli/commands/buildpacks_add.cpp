#include "cli/buildpack_list.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which buildpack? `renga buildpacks:add heroku/python`.");
  auto all = TRY(installed_buildpacks(context));
  const auto index = TRY(index_flag(context, all.size() + 1)).value_or(all.size() + 1);
  all.insert(all.begin() + static_cast<std::ptrdiff_t>(index - 1), context.arguments.begin(),
             context.arguments.end());
  return install_buildpacks(context, all);
}

}  // namespace

Command buildpacks_add() {
  return {.name = "buildpacks:add",
          .usage = "BUILDPACK ...",
          .summary = "add a buildpack, at the end or at --index",
          .help = R"(Example:
  $ renga buildpacks:add --index 1 heroku-community/apt)",
          .flags = {app_flag, buildpack_index_flag},
          .run = run};
}

}  // namespace renga::cli
