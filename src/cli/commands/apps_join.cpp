#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/app_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> join(Context& context) {
  auto* platform = TRY(context.platform());
  const auto path = TRY(context.path("/collaborators"));
  TRY(platform->post(path, json::object{{"user", "~"}}));
  context.terminal.say(fmt::format("Joining {}... done", TRY(context.app())));
  return 0;
}

Result<int> leave(Context& context) {
  auto* platform = TRY(context.platform());
  const auto email = text_at(TRY(platform->get("/account")), "email");
  TRY(platform->remove(TRY(context.path("/collaborators/" + text::url_encode(email)))));
  context.terminal.say(fmt::format("Leaving {}... done", TRY(context.app())));
  return 0;
}

}  // namespace

Command apps_join() {
  return {.name = "apps:join",
          .usage = "",
          .summary = "become a collaborator of an app",
          .help = R"(For administrators, who see every app; others are added with access:add.)",
          .flags = {app_flag},
          .run = join};
}

Command apps_leave() {
  return {.name = "apps:leave",
          .usage = "",
          .summary = "be a collaborator of an app no longer",
          .help = R"()",
          .flags = {app_flag},
          .run = leave};
}

}  // namespace renga::cli
