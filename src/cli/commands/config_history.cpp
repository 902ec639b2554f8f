// Who changed which config var and when: releases remember the config they had, and who made them.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"
#include "cli/config_text.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  auto* platform = TRY(context.platform());
  const auto most = text::number(context.flag("num", "15"));
  if (!most || *most < 1 || *most > 200)
    return fail(Kind::invalid, "--num is a number from 1 to 200: how many releases to look at.");
  const auto path = TRY(context.path("/releases"));
  const auto wanted = context.arguments.empty() ? std::string() : context.arguments[0];
  const auto found =
      TRY(platform->get(path, fmt::format("version ..; order=desc, max={}", *most + 1)));
  const auto& releases = found.as_array();

  std::vector<std::vector<std::string>> rows;
  std::optional<Vars> after;
  for (std::size_t i = 0; i < releases.size(); ++i) {
    auto vars =
        vars_in(TRY(platform->get(path + "/" + text_at(releases[i], "version") + "/config-vars")));
    if (after) {
      std::vector<std::string> what;
      for (const auto& [name, value] : *after) {
        const auto old = vars.find(name);
        if (old == vars.end())
          what.push_back("+" + name);
        else if (old->second != value)
          what.push_back("~" + name);
      }
      for (const auto& [name, value] : vars)
        if (!after->contains(name)) what.push_back("-" + name);
      std::erase_if(what,
                    [&](const auto& one) { return !wanted.empty() && one.substr(1) != wanted; });
      const auto& release = releases[i - 1];
      if (!what.empty())
        rows.push_back({"v" + text_at(release, "version"), when(text_at(release, "created_at")),
                        text_at(release, "user.email"), text::join(what, " ")});
    }
    after = std::move(vars);
  }
  if (rows.empty())
    context.terminal.say(fmt::format("No config var changed in the last {} releases.", *most));
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command config_history() {
  return {.name = "config:history",
          .usage = "[NAME]",
          .summary = "show who changed which config var and when",
          .help = R"(+NAME was added, ~NAME changed, -NAME removed. No values are shown;
`renga config:diff v12 v13` shows them.)",
          .flags = {app_flag, {"num", 'n', "NUMBER", "how many releases to look at (15)"}},
          .run = run};
}

}  // namespace renga::cli
