#include "cli/commands/commands.h"
#include "cli/commands/pipeline_apps.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty() || !context.has("pipeline"))
    return fail(Kind::invalid, "`renga pipelines:transfer OWNER -p NAME`.");
  const auto& owner = context.arguments[0];
  const auto pipeline = TRY(find_pipeline(context, context.flag("pipeline")));
  const auto name = text_at(pipeline, "name");
  auto confirmed = context.flag("confirm");
  if (confirmed.empty()) {
    context.terminal.err(columns(rows_of(TRY(couplings_of(context, pipeline)))));
    confirmed = context.terminal.ask(
        fmt::format("This gives {} and all these apps to {}. Type {} to go on: ", name, owner,
                    name),
        false);
  }
  if (confirmed != name)
    return fail(Kind::invalid, fmt::format("'{}' is not {}. Nothing was transferred.",
                                           text::printable(confirmed), name));
  TRY(TRY(context.platform())
          ->post("/pipeline-transfers",
                 json::object{{"pipeline", json::object{{"id", text_at(pipeline, "id")}}},
                              {"new_owner", json::object{{"id", owner}, {"type", "user"}}}}));
  context.terminal.say(fmt::format("Transferring {} pipeline to {}... done", name, owner));
  return 0;
}

}  // namespace

Command pipelines_transfer() {
  return {
      .name = "pipelines:transfer",
      .usage = "OWNER",
      .summary = "give a pipeline and all its apps to another account",
      .help = R"(You stay a collaborator on the apps.

Example:
  $ renga pipelines:transfer ada@example.com -p sushi)",
      .flags = {pipeline_flag, {"confirm", 'c', "NAME", "the pipeline's name, instead of asking"}},
      .run = run};
}

}  // namespace renga::cli
