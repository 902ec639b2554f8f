#include "cli/commands/commands.h"
#include "cli/commands/local_project.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  auto words = context.arguments;
  words.insert(words.end(), context.rest.begin(), context.rest.end());
  if (words.empty())
    return fail(Kind::invalid, "Say what to run: renga local:run python manage.py shell.");

  take_defaults(context, {procfile_flag, env_flag});
  // Without a Procfile the env files count all the same; with one, a type's name is its command.
  const auto directory = local_directory(context);
  const auto project = local_project(context);
  if (!project && (project.error().kind != Kind::not_found || context.has("procfile")))
    return std::unexpected(project.error());
  auto environment = context.surroundings.environment;
  for (const auto& [name, value] : TRY(local::read_env_files(directory, context.flag("env"))))
    environment[name] = value;
  if (context.has("port")) environment["PORT"] = context.flag("port");
  return std::unexpected(
      local::become(words, directory, project ? &project->procfile : nullptr, environment));
}

}  // namespace

Command local_run() {
  return {
      .name = "local:run",
      .usage = "CMD ...",
      .summary = "run one command with .env",
      .help =
          R"page(One word that is a type of the Procfile runs that type's command; any other single word is a shell's
line; several words are a program and its arguments.

Examples:
  $ renga local:run python manage.py migrate
  $ renga local:run 'echo $DATABASE_URL'
  $ renga local:run release)page",
      .flags = {procfile_flag, env_flag, port_flag, root_flag},
      .run = run,
      .passes_on = true};
}

}  // namespace renga::cli
