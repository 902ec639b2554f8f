#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/addons_words.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

// The app's attachments of other apps' add-ons, by the add-on.
Result<json::array> lent_to_this(Context& context) {
  auto& platform = *TRY(context.platform());
  auto all = TRY(platform.get(TRY(context.path("/addon-attachments")))).as_array();
  json::array lent;
  for (auto& attachment : all)
    if (text_at(attachment, "addon.app.id") != text_at(attachment, "app.id"))
      lent.push_back(std::move(attachment));
  std::ranges::stable_sort(
      lent, {}, [](const json::value& attachment) { return text_at(attachment, "addon.name"); });
  return lent;
}

Result<int> run(Context& context) {
  auto& platform = *TRY(context.platform());
  const bool everywhere = context.has("all");
  const auto list = TRY(platform.get(everywhere ? "/addons" : TRY(context.path("/addons"))));
  if (context.has("json")) {
    context.terminal.out(pretty(list));
    return 0;
  }
  const auto attachments = TRY(platform.get("/addon-attachments"));
  const auto lent = everywhere ? json::array() : TRY(lent_to_this(context));
  if (list.as_array().empty() && lent.empty()) {
    context.terminal.say("No add-ons.");
    return 0;
  }
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
  std::string last;
  for (const auto& attachment : lent) {
    if (const auto name = text_at(attachment, "addon.name"); name != last)
      rows.push_back({last = name, "of " + text_at(attachment, "addon.app.name")});
    rows.push_back({"  as " + text_at(attachment, "name")});
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
