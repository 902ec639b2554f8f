#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which config var? `renga config:get NAME`.");
  const auto path = TRY(context.path("/config-vars"));
  const auto vars = TRY(TRY(context.platform())->get(path));
  for (const auto& name : context.arguments) {
    const auto* value = vars.as_object().if_contains(name);
    context.terminal.line(value && value->is_string() ? std::string_view(value->as_string()) : "");
  }
  return 0;
}

}  // namespace

Command config_get() {
  return {.name = "config:get",
          .usage = "NAME ...",
          .summary = "show one config var",
          .help = R"()",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli
