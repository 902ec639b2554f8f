#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/addons_words.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

// "--region eu --flag" behind `--`.
json::object options_of(const std::vector<std::string>& words) {
  json::object options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!words[i].starts_with("--")) continue;
    auto [name, value] = text::split_once(std::string_view(words[i]).substr(2), '=');
    if (words[i].contains('='))
      options[name] = value;
    else if (i + 1 < words.size() && !words[i + 1].starts_with("--"))
      options[name] = words[++i];
    else
      options[name] = "true";
  }
  return options;
}

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which service? `renga addons:create heroku-postgresql`.");
  auto& platform = *TRY(context.platform());
  const auto app = TRY(context.app());
  const auto path = TRY(context.path("/addons"));
  auto addon = TRY(confirmed(context, app, [&](const std::string& confirm) {
    json::object wanted{{"plan", json::object{{"name", context.arguments[0]}}}};
    if (context.has("as")) wanted["attachment"] = json::object{{"name", context.flag("as")}};
    if (context.has("name")) wanted["name"] = context.flag("name");
    if (!confirm.empty()) wanted["confirm"] = confirm;
    if (auto options = options_of(context.rest); !options.empty())
      wanted["config"] = std::move(options);
    return platform.post(path, wanted);
  }));
  context.terminal.say(fmt::format("Creating {} on {}... done, {} ({})", context.arguments[0], app,
                                   text_at(addon, "name"), price_of(addon.at("plan").at("price"))));
  if (const auto message = text_at(addon, "provision_message"); !message.empty())
    context.terminal.say(message);
  if (text_at(addon, "state") == "provisioning" && context.has("wait"))
    addon = TRY(wait_for_addon(context, addon));
  const auto state = text_at(addon, "state");
  if (state == "provisioning") {
    context.terminal.say(
        fmt::format("{0} is being made. `renga addons:wait {0}` says when it is there.",
                    text_at(addon, "name")));
    return 0;
  }
  if (state != "provisioned")
    return fail(Kind::unavailable, fmt::format("{} could not be made. {}", text_at(addon, "name"),
                                               text_at(addon, "provision_message")));
  std::vector<std::string> vars;
  for (const auto& var : addon.at("config_vars").as_array()) vars.emplace_back(var.as_string());
  if (!vars.empty()) context.terminal.say(fmt::format("It set {}.", text::join(vars, ", ")));
  return 0;
}

}  // namespace

Command addons_create() {
  return {
      .name = "addons:create",
      .usage = "SERVICE[:PLAN] [-- OPTIONS]",
      .summary = "add an add-on to an app",
      .help = R"(What is behind `--` goes to the provider: --name value, --name=value or --switch.

Examples:
  $ renga addons:create heroku-postgresql
  $ renga addons:create heroku-redis:premium-0 --as CACHE)",
      .flags = {app_flag,
                {"as", 0, "NAME", "attach it under this name"},
                {"name", 0, "NAME", "the add-on's own name"},
                confirm_flag,
                wait_flag},
      .run = run};
}

}  // namespace renga::cli
