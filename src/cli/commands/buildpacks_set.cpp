#include <algorithm>

#include "cli/buildpack_list.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which buildpack? `renga buildpacks:set heroku/python`.");
  if (!context.has("index")) return install_buildpacks(context, context.arguments);
  if (context.arguments.size() > 1)
    return fail(Kind::invalid, "--index sets one buildpack; give one name.");
  auto all = TRY(installed_buildpacks(context));
  const auto index = *TRY(index_flag(context, all.size() + 1));
  all.resize(std::max(all.size(), index));
  all[index - 1] = context.arguments[0];
  return install_buildpacks(context, all);
}

}  // namespace

Command buildpacks_set() {
  return {
      .name = "buildpacks:set",
      .usage = "BUILDPACK ...",
      .summary = "set an app's buildpacks, in order",
      .help =
          R"(A buildpack is a name, the URL of a git repository (#VERSION behind it) or of a .tgz file, or
USER/REPOSITORY of GitHub. Examples:
  $ renga buildpacks:set python
  $ renga buildpacks:set nodejs https://github.com/heroku/heroku-buildpack-apt#main)",
      .flags = {app_flag, buildpack_index_flag},
      .run = run};
}

}  // namespace renga::cli
