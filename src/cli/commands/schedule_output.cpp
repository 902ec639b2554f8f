#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Of which job? `renga schedule` shows their ids.");
  const auto runs_path =
      TRY(context.path("/scheduled-jobs/" + text::url_encode(context.arguments[0]) + "/runs"));
  auto* platform = TRY(context.platform());
  boost::json::value run;
  if (context.arguments.size() > 1) {
    run = TRY(platform->get(runs_path + "/" + text::url_encode(context.arguments[1])));
  } else {
    const auto runs = TRY(platform->get(runs_path));
    if (runs.as_array().empty()) return fail(Kind::not_found, "This job has not run yet.");
    run = runs.as_array().front();
  }
  const auto url = text_at(run, "output_stream_url");
  if (url.empty())
    return fail(Kind::not_found, "This run has no output: it is " + text_at(run, "state") + ".");
  TRY(platform->stream(url, {}, [&](std::string_view piece) {
    context.terminal.out(piece);
    return true;
  }));
  return 0;
}

}  // namespace

Command schedule_output() {
  return {.name = "schedule:output",
          .usage = "JOB [RUN]",
          .summary = "show what a run of a scheduled job wrote",
          .help = R"(The newest run's without RUN. One that still goes is followed to its end.)",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli
