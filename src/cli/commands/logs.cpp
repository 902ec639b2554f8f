#include "base/clock.h"
#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

// "2h" is two hours before now.
std::optional<Time> time_of(const std::string& given, Time now) {
  if (const auto time = parse_rfc3339(given)) return time;
  if (given.size() < 2) return std::nullopt;
  const auto number = text::number(std::string_view(given).substr(0, given.size() - 1));
  if (!number || *number < 0 || *number > 1'000'000) return std::nullopt;
  switch (given.back()) {
    case 's':
      return now - std::chrono::seconds(*number);
    case 'm':
      return now - std::chrono::minutes(*number);
    case 'h':
      return now - std::chrono::hours(*number);
    case 'd':
      return now - std::chrono::hours(24 * *number);
    default:
      return std::nullopt;
  }
}

Result<int> run(Context& context) {
  json::object wanted{{"lines", 100}, {"tail", context.has("tail")}};
  if (context.has("num")) {
    const auto lines = text::number(context.flag("num"));
    if (!lines || *lines < 1 || *lines > 1'500)
      return fail(Kind::invalid, "--num takes a number from 1 to 1500.");
    wanted["lines"] = *lines;
  }
  for (const auto* flag : {"since", "until"}) {
    if (!context.has(flag)) continue;
    const auto time = time_of(context.flag(flag), SystemClock().now());
    if (!time)
      return fail(Kind::invalid, std::string("--") + flag +
                                     " takes a time (2026-01-05T10:00:00Z) or how long ago (90s, "
                                     "15m, 2h, 3d).");
    wanted[flag] = rfc3339_micros(*time);
  }
  // All from there on, unless a number was named.
  if (context.has("since") && !context.has("num")) wanted.erase("lines");
  if (context.has("grep")) wanted["grep"] = context.flag("grep");
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
  return {
      .name = "logs",
      .usage = "",
      .summary = "show an app's log",
      .help = R"(Examples:
  $ renga logs --num 50
  $ renga logs --tail --dyno web.1
  $ renga logs --source heroku
  $ renga logs --since 2h --grep timeout
  $ renga logs --since 2026-01-05T10:00:00Z --until 2026-01-05T11:00:00Z)",
      .flags = {app_flag,
                {"num", 'n', "N", "how many lines, at most 1500 (default 100)"},
                {"tail", 't', "", "follow the log"},
                {"dyno", 'd', "DYNO", "only this dyno (web.1) or type (web)"},
                {"source", 's', "SOURCE", "only app or heroku"},
                {"since", 0, "TIME", "from this time on, or from so long ago (90s, 15m, 2h, 3d)"},
                {"until", 0, "TIME", "until before this time"},
                {"grep", 'g', "TEXT", "only lines with this text in them"}},
      .run = run};
}

}  // namespace renga::cli
