#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/commands/commands.h"
#include "cli/sign_in.h"

namespace renga::cli {
namespace {

// A token that `login -i` made goes with the login; one that was handed in may be another's too. A
// server that cannot be asked is no reason to keep a login.
void revoke_own(client::Platform& platform) {
  const auto all = platform.get("/oauth/authorizations");
  if (!all || !all->is_array()) return;
  for (const auto& one : all->as_array())
    if (text_at(one, "access_token.token") == platform.settings().token &&
        text_at(one, "description").starts_with(login_description))
      (void)platform.remove("/oauth/authorizations/" + text_at(one, "id"));
}

Result<int> run(Context& context) {
  auto* platform = TRY(context.platform());
  const auto url = platform->settings().url;
  revoke_own(*platform);
  context.terminal.say(client::forget_login(context.surroundings, url)
                           ? fmt::format("Forgot the login of {}.", url)
                           : fmt::format("There was no login of {}.", url));
  return 0;
}

}  // namespace

Command logout() {
  return {
      .name = "logout",
      .usage = "",
      .summary = "forget a saved server",
      .help =
          R"(A token that `renga login -i` made is revoked; one that was given to `renga login` stays good.)",
      .flags = {},
      .run = run};
}

}  // namespace renga::cli
