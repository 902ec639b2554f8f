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
    return fail(Kind::invalid, "Which add-on? `renga addons:attach NAME`.");
  auto& platform = *TRY(context.platform());
  const auto app = TRY(context.app());
  const auto addon = TRY(platform.get("/addons/" + text::url_encode(context.arguments[0])));
  const auto attachment = TRY(confirmed(context, app, [&](const std::string& confirm) {
    json::object wanted{{"addon", json::object{{"name", text_at(addon, "name")}}},
                        {"app", json::object{{"name", app}}}};
    if (context.has("as")) wanted["name"] = context.flag("as");
    if (context.has("credential")) wanted["namespace"] = "credential:" + context.flag("credential");
    if (!confirm.empty()) wanted["confirm"] = confirm;
    return platform.post("/addon-attachments", wanted);
  }));
  context.terminal.say(fmt::format("Attaching {} to {} as {}... done, v{}", text_at(addon, "name"),
                                   app, text_at(attachment, "name"),
                                   text_at(TRY(context.newest_release()), "version")));
  return 0;
}

}  // namespace

Command addons_attach() {
  return {.name = "addons:attach",
          .usage = "ADDON",
          .summary = "attach an add-on to an app, or under another name",
          .help = R"(Example:
  $ renga addons:attach postgresql-curly-33328 --as REPORTS -a reports)",
          .flags = {app_flag,
                    {"as", 0, "NAME", "under this name"},
                    {"credential", 0, "NAME", "with this credential of it"},
                    confirm_flag},
          .run = run};
}

}  // namespace renga::cli
