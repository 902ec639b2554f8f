#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/addons_words.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  json::array waiting;
  if (context.arguments.empty()) {
    const auto list = TRY(TRY(context.platform())->get(TRY(context.path("/addons"))));
    for (const auto& addon : list.as_array())
      if (text_at(addon, "state").ends_with("ing")) waiting.push_back(addon);
  } else {
    waiting.push_back(TRY(resolve_addon(context, context.arguments[0])));
  }
  for (const auto& addon : waiting) {
    const bool was_wanted = text_at(addon, "state") != "deprovisioning";
    const auto now = TRY(wait_for_addon(context, addon));
    const auto state = text_at(now, "state");
    context.terminal.say(fmt::format("{} is {}.", text_at(now, "name"), state));
    if (was_wanted && state != "provisioned")
      return fail(Kind::unavailable, fmt::format("{} could not be made. {}", text_at(now, "name"),
                                                 text_at(now, "provision_message")));
  }
  return 0;
}

}  // namespace

Command addons_wait() {
  return {.name = "addons:wait",
          .usage = "[ADDON]",
          .summary = "wait until an add-on is there, or gone",
          .help = R"(Without a name: all of the app that are on their way.)",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli
