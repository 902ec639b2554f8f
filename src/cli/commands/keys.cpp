#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/account_commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto keys = TRY(TRY(context.platform())->get("/account/keys"));
  if (context.has("json")) {
    context.terminal.out(pretty(keys));
    return 0;
  }
  if (keys.as_array().empty()) {
    context.terminal.say("You have no SSH keys here.");
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& key : keys.as_array()) {
    const auto line = text_at(key, "public_key");
    rows.push_back({context.has("long") ? line : std::string(text::split_once(line, ' ').first),
                    text_at(key, "fingerprint"), text_at(key, "comment")});
  }
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command keys() {
  return {
      .name = "keys",
      .usage = "",
      .summary = "list your SSH keys",
      .help = R"(The public ones. git goes over HTTPS here; keys say which machines are yours.)",
      .flags = {{"long", 'l', "", "the whole keys"}, json_flag},
      .run = run};
}

}  // namespace renga::cli
