#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/account_commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which? `renga keys:remove ada@laptop`; `renga keys` lists them.");
  auto* platform = TRY(context.platform());
  const auto& wanted = context.arguments[0];
  const auto keys = TRY(platform->get("/account/keys"));
  int removed = 0;
  for (const auto& key : keys.as_array()) {
    if (wanted != text_at(key, "comment") && wanted != text_at(key, "id") &&
        wanted != text_at(key, "fingerprint"))
      continue;
    TRY(platform->remove("/account/keys/" + text_at(key, "id")));
    ++removed;
  }
  if (removed == 0)
    return fail(Kind::not_found,
                fmt::format("You have no SSH key {}. `renga keys` lists them.", wanted));
  context.terminal.say(fmt::format("Removing {} SSH key... done", wanted));
  return 0;
}

}  // namespace

Command keys_remove() {
  return {.name = "keys:remove",
          .usage = "KEY",
          .summary = "remove an SSH key",
          .help = R"(By its comment (ada@laptop), its fingerprint or its id.)",
          .flags = {},
          .run = run};
}

}  // namespace renga::cli
