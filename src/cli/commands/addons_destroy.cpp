#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/addons_words.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which add-on? `renga addons:destroy NAME`.");
  auto& platform = *TRY(context.platform());
  for (const auto& word : context.arguments) {
    const auto addon = TRY(resolve_addon(context, word));
    const auto app = text_at(addon, "app.name");
    const auto name = text_at(addon, "name");
    if (context.has("app") && app != context.flag("app"))
      return fail(Kind::invalid,
                  fmt::format("{} is on {}, not on {}.", name, app, context.flag("app")));
    auto said = context.flag("confirm");
    if (said.empty())
      said = context.terminal.ask(
          fmt::format(" !    This destroys {} and all that is in it. Type {} to go on: ", name,
                      app),
          false);
    if (said != app)
      return fail(Kind::invalid,
                  fmt::format("\"{}\" is not {}. Nothing was destroyed.", said, app));
    auto gone = TRY(platform.remove(
        fmt::format("/apps/{}/addons/{}", text_at(addon, "app.id"), text_at(addon, "id")),
        json::object{{"confirm", app}, {"force", context.has("force")}}));
    if (context.has("wait")) gone = TRY(wait_for_addon(context, gone));
    context.terminal.say(
        text_at(gone, "state") == "deprovisioned"
            ? fmt::format("Destroying {} on {}... done", name, app)
            : fmt::format("Destroying {} on {}... its provider is asked until it is gone", name,
                          app));
  }
  return 0;
}

}  // namespace

Command addons_destroy() {
  return {.name = "addons:destroy",
          .usage = "ADDON ...",
          .summary = "destroy an add-on and what is in it",
          .help = R"(An add-on that is attached to other apps too is only destroyed with --force.)",
          .flags = {app_flag,
                    confirm_flag,
                    {"force", 'f', "", "although other apps use it"},
                    wait_flag},
          .run = run};
}

}  // namespace renga::cli
