#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/account_commands.h"
#include "cli/commands/feature_switches.h"

namespace renga::cli {
namespace {

Result<int> list(Context& context) {
  const auto path = TRY(context.path("/features"));
  const auto features = TRY(TRY(context.platform())->get(path));
  if (context.has("json"))
    context.terminal.out(pretty(features));
  else
    show_features(context.terminal, features, true);
  return 0;
}

Result<std::string> feature_path(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which feature? `renga features` lists them.");
  return context.path("/features/" + text::url_encode(context.arguments[0]));
}

Result<int> info(Context& context) { return show_feature(context, TRY(feature_path(context))); }

Result<int> enable(Context& context) {
  return switch_feature(context, TRY(feature_path(context)), true, TRY(context.app()));
}

Result<int> disable(Context& context) {
  return switch_feature(context, TRY(feature_path(context)), false, TRY(context.app()));
}

}  // namespace

Command features() {
  return {.name = "features",
          .usage = "",
          .summary = "list an app's features and which are on",
          .help = R"(Features that are not settled yet are in `renga labs`.)",
          .flags = {app_flag, json_flag},
          .run = list};
}

Command features_info() {
  return {.name = "features:info",
          .usage = "FEATURE",
          .summary = "show a feature of an app",
          .help = R"()",
          .flags = {app_flag, json_flag},
          .run = info};
}

Command features_enable() {
  return {.name = "features:enable",
          .usage = "FEATURE",
          .summary = "turn a feature of an app on",
          .help = R"(Example:
  $ renga features:enable redirect-to-https)",
          .flags = {app_flag},
          .run = enable};
}

Command features_disable() {
  return {.name = "features:disable",
          .usage = "FEATURE",
          .summary = "turn a feature of an app off",
          .help = R"()",
          .flags = {app_flag},
          .run = disable};
}

}  // namespace renga::cli
