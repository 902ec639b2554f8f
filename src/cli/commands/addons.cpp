#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/addons_words.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  auto& platform = *TRY(context.platform());
  const bool everywhere = context.has("all");
  const auto list = TRY(platform.get(everywhere ? "/addons" : TRY(context.path("/addons"))));
  if (context.has("json")) {
    context.terminal.out(pretty(list));
    return 0;
  }
  if (list.as_array().empty()) {
    context.terminal.say("No add-ons.");
    return 0;
  }
  const auto attachments = TRY(platform.get("/addon-attachments"));
  std::vector<std::vector<std::string>> rows{{"Add-on", "Plan", "Price", "State"}};
  if (everywhere) rows.front().insert(rows.front().begin(), "App");
  for (const auto& addon : list.as_array()) {
    std::vector<std::string> row{text_at(addon, "name"), text_at(addon, "plan.name"),
                                 price_of(addon.at("plan").at("price")), text_at(addon, "state")};
    if (everywhere) row.insert(row.begin(), text_at(addon, "app.name"));
    rows.push_back(std::move(row));
    for (const auto& attachment : attachments.as_array()) {
      if (text_at(attachment, "addon.id") != text_at(addon, "id")) continue;
      const auto app = text_at(attachment, "app.name");
      const auto where = app == text_at(addon, "app.name") ? std::string() : " on " + app;
      rows.push_back({fmt::format("  as {}{}", text_at(attachment, "name"), where)});
    }
  }
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command addons() {
  return {.name = "addons",
          .usage = "",
          .summary = "list an app's add-ons and where they are attached",
          .help = R"()",
          .flags = {app_flag, json_flag, {"all", 'A', "", "those of all apps"}},
          .run = run};
}

}  // namespace renga::cli
