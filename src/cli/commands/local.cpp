#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/commands/local_project.h"
#include "local/control.h"
#include "local/run.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  constexpr std::int64_t default_limit = 5, longest_limit = 3600;
  const auto project = TRY(local_project(context));
  const auto seconds =
      context.has("timeout") ? text::number(context.flag("timeout")) : std::optional(default_limit);
  if (!seconds || *seconds < 0 || *seconds > longest_limit)
    return fail(Kind::invalid,
                fmt::format("-t takes seconds from 0 to {}, not \"{}\".", longest_limit,
                            text::printable(context.flag("timeout"))));

  const auto& environment = context.surroundings.environment;
  const bool interactive = context.terminal.interactive();
  return local::run({
      .instances = TRY(local_plan(context, project, 0)),
      .environment = project.environment,
      .directory = local_directory(context),
      .sockets = local::control_directory(environment),
      .exit_limit = std::chrono::seconds(*seconds),
      .at_exit = context.has("restart") ? local::AtExit::start_again
                 : context.has("watch") ? local::AtExit::wait
                                        : local::AtExit::end_all,
      .watch = context.has("watch"),
      .streams = interactive ? local::Streams::terminal : local::Streams::pipe,
      .colour =
          interactive && !environment.contains("NO_COLOR") ? local::Colour::on : local::Colour::off,
  });
}

}  // namespace

Command local() {
  return {
      .name = "local",
      .usage = "[TYPE[=N],...]",
      .summary = "run the Procfile on this machine",
      .help =
          R"page(Runs every process type but release, one each, or those named, until one of them ends or you press
Ctrl-C; then ends all that came from them: SIGTERM, and SIGKILL after -t seconds. It needs neither a
server nor root. Takes the flags of `heroku local` and of `foreman start`.

Each process gets the environment, .env over it, PORT and PS=web.1. PORT is the first port plus 100 for
each type and 1 for each further process of a type; the first port is -p, PORT of .env, $PORT or 5006.

--restart starts a process again that ended, ever more slowly; `renga local:restart web.1` restarts one.
--watch starts all again when a file changes. It ignores .git, node_modules, __pycache__, .venv, log, tmp,
and files such as *.log, *.pyc and *.sqlite3. A process that ends waits for the next change.

The exit status is that of the process that ended first.

Examples:
  $ renga local
  $ renga local web,worker=2 --watch
  $ renga local -m all=1,clock=0 -e .env,.env.local)page",
      .flags = {procfile_flag,
                env_flag,
                port_flag,
                start_flag,
                formation_flag,
                root_flag,
                {"timeout", 't', "SECONDS", "from SIGTERM to SIGKILL (default 5)"},
                {"restart", 0, "", "start what ended again instead of ending all"},
                {"watch", 'w', "", "start all again when a file changes"}},
      .run = run};
}

}  // namespace renga::cli
