#include <fmt/format.h>

#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto url = TRY(context.platform())->settings().url;
  context.terminal.say(client::forget_login(context.surroundings, url)
                           ? fmt::format("Forgot the login of {}.", url)
                           : fmt::format("There was no login of {}.", url));
  return 0;
}

}  // namespace

Command logout() {
  return {.name = "logout",
          .usage = "",
          .summary = "forget a saved server",
          .help = R"()",
          .flags = {},
          .run = run};
}

}  // namespace renga::cli
