#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/addons_words.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.size() < 2)
    return fail(Kind::invalid, "From and to which name? `renga addons:rename OLD NEW`.");
  auto& platform = *TRY(context.platform());
  const auto addon = TRY(platform.get("/addons/" + text::url_encode(context.arguments[0])));
  const auto renamed = TRY(platform.patch(
      fmt::format("/apps/{}/addons/{}", text_at(addon, "app.id"), text_at(addon, "id")),
      json::object{{"name", context.arguments[1]}}));
  context.terminal.say(
      fmt::format("{} is {} now.", text_at(addon, "name"), text_at(renamed, "name")));
  return 0;
}

}  // namespace

Command addons_rename() {
  return {.name = "addons:rename",
          .usage = "ADDON NEW_NAME",
          .summary = "rename an add-on",
          .help = R"(Attachments and config vars keep their names.)",
          .flags = {},
          .run = run};
}

}  // namespace renga::cli
