#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/addons_words.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  const auto& words = context.arguments;
  if (words.empty())
    return fail(Kind::invalid, "Which add-on and plan? `renga addons:upgrade NAME SERVICE:PLAN`.");
  // "heroku-redis:premium-0" alone is the app's add-on of that service.
  const auto [service, own] = text::split_once(words[0], ':');
  const std::string plan = words.size() > 1 ? words[1] : std::string(own);
  if (plan.empty())
    return fail(Kind::invalid, "Which plan? `renga addons:plans SERVICE` lists them.");
  const auto addon =
      TRY(resolve_addon(context, words.size() > 1 ? words[0] : std::string(service)));
  const auto name = plan.contains(':') ? plan : text_at(addon, "addon_service.name") + ":" + plan;
  const auto changed = TRY(
      TRY(context.platform())
          ->patch(fmt::format("/apps/{}/addons/{}", text_at(addon, "app.id"), text_at(addon, "id")),
                  json::object{{"plan", json::object{{"name", name}}}}));
  context.terminal.say(fmt::format("Changing {} on {} from {} to {}... done, {}",
                                   text_at(addon, "name"), text_at(addon, "app.name"),
                                   text_at(addon, "plan.name"), text_at(changed, "plan.name"),
                                   price_of(changed.at("plan").at("price"))));
  if (const auto message = text_at(changed, "provision_message"); !message.empty())
    context.terminal.say(message);
  return 0;
}

}  // namespace

Command addons_upgrade() {
  return {.name = "addons:upgrade",
          .usage = "ADDON [PLAN]",
          .summary = "change an add-on's plan",
          .help = R"(Examples:
  $ renga addons:upgrade postgresql-curly-33328 heroku-postgresql:standard-0
  $ renga addons:upgrade heroku-redis:premium-0)",
          .flags = {app_flag},
          .run = run};
}

Command addons_downgrade() {
  auto command = addons_upgrade();
  command.name = "addons:downgrade";
  command.summary = "the same, downwards";
  return command;
}

}  // namespace renga::cli
