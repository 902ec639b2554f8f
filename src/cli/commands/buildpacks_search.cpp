#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto wanted = text::lower(context.arguments.empty() ? "" : context.arguments[0]);
  const auto all = TRY(TRY(context.platform())->get("/buildpacks"));
  if (context.has("json")) {
    context.terminal.out(pretty(all));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& each : all.as_array()) {
    const auto name = text_at(each, "namespace") + "/" + text_at(each, "name");
    const auto summary = text_at(each, "description");
    if (text::lower(name + " " + summary).find(wanted) != std::string::npos)
      rows.push_back({name, summary});
  }
  if (rows.empty()) context.terminal.say("No buildpacks found.");
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command buildpacks_search() {
  return {.name = "buildpacks:search",
          .usage = "[WORD]",
          .summary = "list the buildpacks that have a name here",
          .help = R"()",
          .flags = {json_flag},
          .run = run};
}

}  // namespace renga::cli
