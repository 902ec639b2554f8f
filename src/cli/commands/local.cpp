#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/commands/local_project.h"
#include "cli/local_deployed.h"
#include "local/control.h"
#include "local/run.h"
#include "os/file.h"

namespace renga::cli {
namespace {

const std::vector<Flag>& flags() {
  static const std::vector<Flag> all = {
      procfile_flag,
      env_flag,
      port_flag,
      start_flag,
      formation_flag,
      root_flag,
      {"timeout", 't', "SECONDS", "from SIGTERM to SIGKILL (default 5)"},
      {"restart", 0, "", "start what ended again instead of ending all"},
      {"watch", 'w', "", "start all again when a file changes"},
      {"after", 0, "TYPE=TYPE+...", "start a type once others are healthy: worker=web+db"},
      {"health", 0, "TYPE=CHECK,...", "what healthy is: port, up, exit, or a path (/healthz)"},
      {"tty", 0, "", "give each process a terminal, also in a pipe"},
      {"color", 'c', "", "colours, also in a pipe"},
      {"no-timestamp", 0, "", "no time before each line"},
      {"no-cron", 0, "", "leave the scheduled jobs of app.json out"},
      {"as-deployed", 0, "", "build and run it as the platform does (needs root)"},
  };
  return all;
}

Result<std::chrono::seconds> exit_limit(const Context& context) {
  constexpr std::int64_t default_limit = 5, longest_limit = 3600;
  const auto seconds =
      context.has("timeout") ? text::number(context.flag("timeout")) : std::optional(default_limit);
  if (!seconds || *seconds < 0 || *seconds > longest_limit)
    return fail(Kind::invalid,
                fmt::format("-t takes seconds from 0 to {}, not \"{}\".", longest_limit,
                            text::printable(context.flag("timeout"))));
  return std::chrono::seconds(*seconds);
}

// Jobs come with the whole app, and not with some of its types.
Result<std::vector<scheduler::Wish>> jobs(const Context& context) {
  if (context.has("no-cron") || !context.arguments.empty()) return std::vector<scheduler::Wish>();
  const auto text = os::read_file(local_directory(context) / "app.json");
  if (!text) return std::vector<scheduler::Wish>();
  auto wishes = scheduler::wishes_of(*text);
  if (!wishes.errors.empty())
    return fail(Kind::invalid,
                fmt::format("The scheduled jobs of app.json cannot be used (--no-cron leaves them "
                            "out). {}",
                            text::join(wishes.errors, " ")));
  return std::move(wishes.all);
}

Result<int> run(Context& context) {
  take_defaults(context, flags());
  const auto project = TRY(local_project(context));
  const auto& environment = context.surroundings.environment;
  const bool interactive = context.terminal.interactive();
  const bool coloured = context.has("color") || (interactive && !environment.contains("NO_COLOR"));
  auto instances = TRY(local_plan(context, project, 0));
  if (context.has("as-deployed")) {
    for (const auto* flag : {"watch", "restart", "after", "health", "tty"})
      if (context.has(flag))
        return fail(Kind::invalid,
                    fmt::format("--{} does not go with --as-deployed, where the platform decides "
                                "when a dyno starts.",
                                flag));
    return run_as_deployed(context, local_directory(context), project, instances);
  }
  auto waits = TRY(local::Waits::parse(context.flag("after"), context.flag("health"),
                                       project.procfile, instances));
  const auto limit = TRY(exit_limit(context));
  auto due = TRY(jobs(context));
  return local::run({
      .instances = std::move(instances),
      .environment = project.environment,
      .directory = local_directory(context),
      .sockets = local::control_directory(environment),
      .exit_limit = limit,
      .at_exit = context.has("restart") ? local::AtExit::start_again
                 : context.has("watch") ? local::AtExit::wait
                                        : local::AtExit::end_all,
      .waits = std::move(waits),
      .jobs = std::move(due),
      .watch = context.has("watch"),
      .streams =
          interactive || context.has("tty") ? local::Streams::terminal : local::Streams::pipe,
      .colour = coloured ? local::Colour::on : local::Colour::off,
      .times = !context.has("no-timestamp"),
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
server nor root. Takes the flags of `heroku local` and of `foreman start`, and their defaults from
.foreman.

Each process gets the environment, .env over it, PORT and PS=web.1. PORT is the first port plus 100 for
each type and 1 for each further process of a type; the first port is -p, PORT of .env, $PORT or 5006.

--after worker=web+db starts worker once every web and db is healthy: web when something listens on its
PORT, others when they have run for a second, or as --health says. A type that is to end (exit: a
migration) ends nothing else when it succeeds. What is not healthy within a minute ends all.

--restart starts a process again that ended, ever more slowly; `renga local:restart web.1` restarts one.
--watch starts all again when a file changes. It ignores .git, node_modules, __pycache__, .venv, log, tmp,
and files such as *.log, *.pyc and *.sqlite3. A process that ends waits for the next change.
`renga local:attach web.1` joins your terminal to one process, for a debugger's prompt.

"cron" of app.json is run too, as cron.1, cron.2 and so on, unless types are named.

The exit status is that of the process that ended first.

--as-deployed runs the app on a server of its own instead, until Ctrl-C: built by its buildpacks, in
sandboxes with the platform's limits, release phase, router and add-ons, with .env as its config. Web is at
http://APP.localhost:PORT/. Build cache and add-ons' data are kept for the next time.

Examples:
  $ renga local
  $ renga local web,worker=2 --watch
  $ renga local -m all=1,clock=0 -e .env,.env.local
  $ renga local --after web=migrate,worker=web --health web=/healthz,migrate=exit)page",
      .flags = flags(),
      .run = run};
}

}  // namespace renga::cli
