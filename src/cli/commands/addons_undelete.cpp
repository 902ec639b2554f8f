#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/commands/addons_words.h"
#include "cli/commands/data_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> list(Context& context, const json::array& destroyed) {
  if (destroyed.empty()) {
    context.terminal.say("There is no destroyed add-on that could be brought back.");
    return 0;
  }
  std::vector<std::vector<std::string>> rows{{"Add-on", "Plan", "App", "Destroyed"}};
  for (const auto& addon : destroyed)
    rows.push_back({text_at(addon, "name"), text_at(addon, "plan.name"), text_at(addon, "app.name"),
                    when(text_at(addon, "updated_at"))});
  context.terminal.out(columns(rows));
  return 0;
}

Result<int> run(Context& context) {
  auto& platform = *TRY(context.platform());
  const auto destroyed = TRY(platform.get("/destroyed-addons"));
  if (context.arguments.empty()) return list(context, destroyed.as_array());

  const auto& word = context.arguments.front();
  for (const auto& one : destroyed.as_array()) {
    if (text_at(one, "name") != word && text_at(one, "id") != word) continue;
    const auto name = text_at(one, "name");
    const auto app = context.has("app") ? context.flag("app") : text_at(one, "app.name");
    auto addon = TRY(platform.post(fmt::format("/addons/{}/actions/undelete", text_at(one, "id")),
                                   json::object{{"app", app}}));
    if (text_at(addon, "state") == "provisioning") addon = TRY(wait_for_addon(context, addon));
    if (text_at(addon, "state") != "provisioned")
      return fail(Kind::unavailable, fmt::format("{} did not come back. {}", name,
                                                 text_at(addon, "provision_message")));
    context.terminal.say(fmt::format("Bringing {} back to {}... done", name, app));
    const auto attachment = TRY(confirmed(context, app, [&](const std::string& confirm) {
      json::object wanted{{"addon", json::object{{"name", name}}},
                          {"app", json::object{{"name", app}}}};
      if (context.has("as")) wanted["name"] = context.flag("as");
      if (!confirm.empty()) wanted["confirm"] = confirm;
      return platform.post("/addon-attachments", wanted);
    }));
    context.terminal.say(fmt::format("It is attached as {}.", text_at(attachment, "name")));
    return 0;
  }
  return fail(Kind::not_found,
              fmt::format("There is no destroyed add-on {} that could be brought back; `renga "
                          "addons:undelete` lists what there is.",
                          word));
}

}  // namespace

Command addons_undelete() {
  return {
      .name = "addons:undelete",
      .usage = "[ADDON]",
      .summary = "bring a destroyed add-on back with its data",
      .help = R"(Databases, stores and clusters are kept for 7 days. Without a name: what there is.
When its app is gone too, -a names another app to bring it to.)",
      .flags = {app_flag, {"as", 0, "NAME", "attach it under this name"}, confirm_flag},
      .run = run};
}

}  // namespace renga::cli
