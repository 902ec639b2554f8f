#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/app_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "To whom? `renga apps:transfer ada@example.com`.");
  const auto name = TRY(context.app());
  const auto transfer =
      TRY(TRY(context.platform())
              ->post("/account/app-transfers",
                     json::object{{"app", name}, {"recipient", context.arguments[0]}}));
  context.terminal.say(
      fmt::format("Offering {} to {}... {}. They accept it with `renga "
                  "apps:transfers:accept {}`.",
                  name, context.arguments[0], text_at(transfer, "state"), name));
  return 0;
}

}  // namespace

Command apps_transfer() {
  return {.name = "apps:transfer",
          .usage = "EMAIL",
          .summary = "offer an app to another account",
          .help = R"(Whoever accepts it owns it; you stay on it as a collaborator.)",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli
