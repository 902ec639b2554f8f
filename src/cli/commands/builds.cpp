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
  const auto path = TRY(context.path("/builds"));
  const auto builds = TRY(
      TRY(context.platform())->get(path, fmt::format("created_at ..; order=desc, max={}", *most)));
  if (context.has("json")) {
    context.terminal.out(pretty(builds));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& build : builds.as_array())
    rows.push_back({text_at(build, "id"), text_at(build, "status"),
                    text_at(build, "source_blob.version").substr(0, 8),
                    text_at(build, "user.email"), when(text_at(build, "created_at"))});
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command builds() {
  return {.name = "builds",
          .usage = "",
          .summary = "list an app's builds",
          .help = R"()",
          .flags = {app_flag, json_flag, {"num", 'n', "N", "how many (default 15)"}},
          .run = run};
}

}  // namespace renga::cli
