#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/account_commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  auto* platform = TRY(context.platform());
  const auto keys = TRY(platform->get("/account/keys"));
  for (const auto& key : keys.as_array())
    TRY(platform->remove("/account/keys/" + text_at(key, "id")));
  context.terminal.say(fmt::format("Removing all {} SSH keys... done", keys.as_array().size()));
  return 0;
}

}  // namespace

Command keys_clear() {
  return {.name = "keys:clear",
          .usage = "",
          .summary = "remove all your SSH keys",
          .help = R"()",
          .flags = {},
          .run = run};
}

}  // namespace renga::cli
