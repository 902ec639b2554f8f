#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  json::object wanted{{"lines", 100}, {"tail", context.has("tail")}};
  if (context.has("num")) {
    const auto lines = text::number(context.flag("num"));
    if (!lines || *lines < 1 || *lines > 1'500)
      return fail(Kind::invalid, "--num takes a number from 1 to 1500.");
    wanted["lines"] = *lines;
  }
  if (context.has("dyno")) wanted["dyno"] = context.flag("dyno");
  if (context.has("source")) wanted["source"] = context.flag("source");

  auto* platform = TRY(context.platform());
  const auto session = TRY(platform->post(TRY(context.path("/log-sessions")), wanted));
  http::Headers headers;
  headers.add("Accept", "text/plain");
  TRY(platform->stream(text_at(session, "logplex_url"), headers, [&](std::string_view piece) {
    context.terminal.out(piece);
    return true;
  }));
  return 0;
}

}  // namespace

Command logs() {
  return {.name = "logs",
          .usage = "",
          .summary = "show an app's log",
          .help = R"(Examples:
  $ renga logs --num 50
  $ renga logs --tail --dyno web.1
  $ renga logs --source heroku)",
          .flags = {app_flag,
                    {"num", 'n', "N", "how many lines, at most 1500 (default 100)"},
                    {"tail", 't', "", "follow the log"},
                    {"dyno", 'd', "DYNO", "only this dyno (web.1) or type (web)"},
                    {"source", 's', "SOURCE", "only app or heroku"}},
          .run = run};
}

}  // namespace renga::cli
