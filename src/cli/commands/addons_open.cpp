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
    return fail(Kind::invalid, "Which add-on? `renga addons:open NAME`.");
  const auto addon = TRY(resolve_addon(context, context.arguments[0]));
  const auto url = text_at(addon, "web_url");
  if (url.empty())
    return fail(Kind::invalid,
                fmt::format("{} has no dashboard, or is not there yet.", text_at(addon, "name")));
  context.terminal.say(
      "This address signs you in; it is good for half an hour, and for nobody else's eyes:");
  context.terminal.line(url);
  return 0;
}

}  // namespace

Command addons_open() {
  return {.name = "addons:open",
          .usage = "ADDON",
          .summary = "show the address of an add-on's dashboard, signed in",
          .help = R"()",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli
