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
    return fail(Kind::invalid, "Which add-on? `renga addons:info NAME`.");
  auto& platform = *TRY(context.platform());
  const auto addon = TRY(resolve_addon(context, context.arguments[0]));
  if (context.has("json")) {
    context.terminal.out(pretty(addon));
    return 0;
  }
  std::vector<std::string> attachments;
  const auto list =
      TRY(platform.get(fmt::format("/addons/{}/addon-attachments", text_at(addon, "id"))));
  for (const auto& each : list.as_array())
    attachments.push_back(text_at(each, "app.name") + "::" + text_at(each, "name"));
  context.terminal.line("=== " + text_at(addon, "name"));
  context.terminal.out(columns({{"App:", text_at(addon, "app.name")},
                                {"Attachments:", text::join(attachments, ", ")},
                                {"Plan:", text_at(addon, "plan.name")},
                                {"Price:", price_of(addon.at("plan").at("price"))},
                                {"State:", text_at(addon, "state")},
                                {"Message:", text_at(addon, "provision_message")},
                                {"Created:", when(text_at(addon, "created_at"))}}));
  return 0;
}

}  // namespace

Command addons_info() {
  return {
      .name = "addons:info",
      .usage = "ADDON",
      .summary = "show an add-on",
      .help =
          R"(An add-on goes by its name, by an attachment of the app (DATABASE) or a config var (DATABASE_URL).)",
      .flags = {app_flag, json_flag},
      .run = run};
}

}  // namespace renga::cli
