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
    return fail(Kind::invalid, "Which attachment? `renga addons:detach DATABASE`.");
  auto& platform = *TRY(context.platform());
  const auto attachment = TRY(platform.get(
      TRY(context.path("/addon-attachments/" + text::url_encode(context.arguments[0])))));
  TRY(platform.remove("/addon-attachments/" + text_at(attachment, "id")));
  context.terminal.say(fmt::format("Detaching {} ({}) from {}... done, v{}",
                                   text_at(attachment, "name"), text_at(attachment, "addon.name"),
                                   TRY(context.app()),
                                   text_at(TRY(context.newest_release()), "version")));
  return 0;
}

}  // namespace

Command addons_detach() {
  return {.name = "addons:detach",
          .usage = "ATTACHMENT",
          .summary = "detach an add-on from an app",
          .help = R"(The last attachment to its own app stays: `renga addons:destroy` ends both.)",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli
