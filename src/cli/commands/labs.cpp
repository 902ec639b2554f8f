#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/account_commands.h"
#include "cli/commands/feature_switches.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> list(Context& context) {
  auto* platform = TRY(context.platform());
  const auto of_account = TRY(platform->get("/account/features"));
  // Outside an app's directory, and without --app, there are the account's alone.
  const auto app = context.app();
  const auto of_app =
      app ? TRY(platform->get(TRY(context.path("/features")))) : json::value(json::array());
  if (context.has("json")) {
    context.terminal.out(pretty(json::object{{"account", of_account}, {"app", of_app}}));
    return 0;
  }
  context.terminal.line("=== Features of your account");
  show_features(context.terminal, of_account, false);
  if (!app) return 0;
  context.terminal.line("\n=== Features of " + *app);
  show_features(context.terminal, of_app, false);
  return 0;
}

// A feature of the account, or else of the app.
Result<std::string> feature_path(Context& context, std::string& whose) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which feature? `renga labs` lists them.");
  const auto name = text::url_encode(context.arguments[0]);
  whose = "your account";
  auto path = "/account/features/" + name;
  if (TRY(context.platform())->get(path)) return path;
  whose = TRY(context.app());
  return context.path("/features/" + name);
}

Result<int> info(Context& context) {
  std::string whose;
  return show_feature(context, TRY(feature_path(context, whose)));
}

Result<int> enable(Context& context) {
  std::string whose;
  const auto path = TRY(feature_path(context, whose));
  return switch_feature(context, path, true, whose);
}

Result<int> disable(Context& context) {
  std::string whose;
  const auto path = TRY(feature_path(context, whose));
  return switch_feature(context, path, false, whose);
}

}  // namespace

Command labs() {
  return {.name = "labs",
          .usage = "",
          .summary = "list features that are not settled yet",
          .help = R"()",
          .flags = {app_flag, json_flag},
          .run = list};
}

Command labs_info() {
  return {.name = "labs:info",
          .usage = "FEATURE",
          .summary = "show such a feature",
          .help = R"()",
          .flags = {app_flag, json_flag},
          .run = info};
}

Command labs_enable() {
  return {.name = "labs:enable",
          .usage = "FEATURE",
          .summary = "turn such a feature on",
          .help = R"()",
          .flags = {app_flag},
          .run = enable};
}

Command labs_disable() {
  return {.name = "labs:disable",
          .usage = "FEATURE",
          .summary = "turn such a feature off",
          .help = R"()",
          .flags = {app_flag},
          .run = disable};
}

}  // namespace renga::cli
