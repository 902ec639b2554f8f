#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/app_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

// How many dynos are to be on the release, and how many are.
struct Progress {
  int all = 0;
  int ready = 0;
};

Progress progress_of(const json::value& dynos, std::int64_t release, const std::string& type,
                     bool with_runs) {
  Progress progress;
  for (const auto& dyno : dynos.as_array()) {
    const auto its = text_at(dyno, "type");
    if (its == "release" || (its == "run" && !with_runs) || (!type.empty() && its != type))
      continue;
    ++progress.all;
    if (text_at(dyno, "state") == "up" && number_at(dyno, "release.version") >= release)
      ++progress.ready;
  }
  return progress;
}

Result<int> run(Context& context) {
  using namespace std::chrono;
  const auto number = [&](const char* flag, std::int64_t otherwise) -> Result<std::int64_t> {
    if (!context.has(flag)) return otherwise;
    const auto given = text::number(context.flag(flag));
    if (!given || *given < 1 || *given > 86'400)
      return fail(Kind::invalid, fmt::format("--{} takes seconds, from 1 to 86400.", flag));
    return *given;
  };
  const auto interval = TRY(number("wait-interval", 1));
  const auto limit = TRY(number("timeout", 600));
  auto* platform = TRY(context.platform());
  const auto release = number_at(TRY(context.newest_release()), "version");
  const auto path = TRY(context.path("/dynos"));

  const auto end = steady_clock::now() + seconds(limit);
  for (int told = -1;;) {
    const auto now = progress_of(TRY(platform->get(path)), release, context.flag("type"),
                                 context.has("with-run"));
    if (now.ready == now.all) {
      context.terminal.say(fmt::format("All {} dynos run v{}.", now.all, release));
      return 0;
    }
    if (now.ready != told)
      context.terminal.say(
          fmt::format("Waiting for v{}: {} of {} dynos are up", release, now.ready, now.all));
    told = now.ready;
    if (steady_clock::now() >= end)
      return fail(Kind::unavailable,
                  fmt::format("After {} s {} of {} dynos run v{}. `renga ps` and `renga logs` say "
                              "more.",
                              limit, now.ready, now.all, release));
    std::this_thread::sleep_for(seconds(interval));
  }
}

}  // namespace

Command ps_wait() {
  return {.name = "ps:wait",
          .usage = "",
          .summary = "wait until all dynos run the newest release",
          .help = R"(For scripts: after a push or config:set, before what needs the new release.)",
          .flags = {app_flag,
                    {"type", 't', "TYPE", "only this process type"},
                    {"wait-interval", 'w', "SECONDS", "how often to ask (default 1)"},
                    {"timeout", 0, "SECONDS", "how long to wait (default 600)"},
                    {"with-run", 'R', "", "one-off dynos as well"}},
          .run = run};
}

}  // namespace renga::cli
