// features:enable and features:disable.
#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/commands/app_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> turn(Context& context, bool enabled) {
  if (context.arguments.size() != 1)
    return fail(Kind::invalid, "Say which feature: `renga features` lists them.");
  const auto path = TRY(context.path("/features/" + context.arguments[0]));
  const auto feature =
      TRY(TRY(context.platform())->patch(path, json::object{{"enabled", enabled}}));
  context.terminal.line(fmt::format("{} {} for {}", enabled ? "Enabled" : "Disabled",
                                    text_at(feature, "name"), TRY(context.app())));
  return 0;
}

}  // namespace

Command features_enable() {
  return {.name = "features:enable",
          .usage = "FEATURE",
          .summary = "switch a feature of an app on",
          .help = R"(    renga features:enable http-session-affinity)",
          .flags = {app_flag},
          .run = [](Context& context) { return turn(context, true); }};
}

Command features_disable() {
  return {.name = "features:disable",
          .usage = "FEATURE",
          .summary = "switch a feature of an app off",
          .help = R"()",
          .flags = {app_flag},
          .run = [](Context& context) { return turn(context, false); }};
}

}  // namespace renga::cli
