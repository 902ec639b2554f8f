#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which buildpack? `renga buildpacks:set heroku/python`.");
  json::array updates;
  for (const auto& name : context.arguments) updates.push_back(json::object{{"buildpack", name}});
  const auto path = TRY(context.path("/buildpack-installations"));
  TRY(TRY(context.platform())->put(path, json::object{{"updates", updates}}));
  context.terminal.say(fmt::format("Buildpacks of {} set. The next build uses {}.",
                                   TRY(context.app()), text::join(context.arguments, ", ")));
  return 0;
}

}  // namespace

Command buildpacks_set() {
  return {.name = "buildpacks:set",
          .usage = "BUILDPACK ...",
          .summary = "set an app's buildpacks, in order",
          .help = R"(Example:
  $ renga buildpacks:set heroku/python)",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli
