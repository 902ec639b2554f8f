#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto most = text::number(context.flag("num", "15"));
  if (!most || *most < 1 || *most > 1'000)
    return fail(Kind::invalid, "--num takes a number from 1 to 1000.");
  const auto path = TRY(context.path("/releases"));
  const auto releases =
      TRY(TRY(context.platform())->get(path, fmt::format("version ..; order=desc, max={}", *most)));
  if (context.has("json")) {
    context.terminal.out(pretty(releases));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& release : releases.as_array()) {
    const auto status = text_at(release, "status");
    const auto note = status == "failed"            ? " (release command failed)"
                      : status == "pending"         ? " (release command executing)"
                      : status == "expired"         ? " (release expired)"
                      : flag_at(release, "current") ? " (current)"
                                                    : "";
    rows.push_back({"v" + text_at(release, "version"), text_at(release, "description") + note,
                    text_at(release, "user.email"), when(text_at(release, "created_at"))});
  }
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command releases() {
  return {.name = "releases",
          .usage = "",
          .summary = "list an app's releases",
          .help = R"()",
          .flags = {app_flag, json_flag, {"num", 'n', "N", "how many (default 15)"}},
          .run = run};
}

}  // namespace renga::cli
