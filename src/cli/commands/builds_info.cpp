#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"
#include "cli/follow_build.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto build = TRY(build_named(context));
  if (context.has("json")) {
    context.terminal.out(pretty(build));
    return 0;
  }
  std::vector<std::string> names;
  for (const auto& each : build.at("buildpacks").as_array()) names.push_back(text_at(each, "name"));
  context.terminal.line("=== Build " + text_at(build, "id"));
  context.terminal.out(columns({{"Status:", text_at(build, "status")},
                                {"By:", text_at(build, "user.email")},
                                {"Version:", text_at(build, "source_blob.version")},
                                {"Change:", text_at(build, "source_blob.version_description")},
                                {"Buildpacks:", text::join(names, ", ")},
                                {"Stack:", text_at(build, "stack")},
                                {"Slug:", text_at(build, "slug.id")},
                                {"When:", when(text_at(build, "created_at"))}}));
  return 0;
}

}  // namespace

Command builds_info() {
  return {.name = "builds:info",
          .usage = "[BUILD]",
          .summary = "show a build; the newest, if none is named",
          .help = R"()",
          .flags = {app_flag, json_flag},
          .run = run};
}

}  // namespace renga::cli
