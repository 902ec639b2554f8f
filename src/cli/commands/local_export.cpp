#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/commands/local_project.h"
#include "local/systemd.h"
#include "os/file.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty() || context.arguments[0] != "systemd")
    return fail(Kind::invalid, "Units are written for systemd: renga local:export systemd DIR.");
  take_defaults(context, {procfile_flag, env_flag, port_flag, formation_flag});
  const auto project = TRY(local_project(context));
  const auto directory = local_directory(context);
  const auto app = context.flag("app", directory.filename().string());
  if (app.empty() || app.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                           "0123456789-_.") != std::string::npos)
    return fail(Kind::invalid, fmt::format("\"{}\" cannot name units. Give another with -a.",
                                           text::printable(app)));
  const auto user = context.flag("user", app);
  if (user.find_first_of("\n\r%") != std::string::npos)
    return fail(Kind::invalid, "-u takes the name of a user.");
  const auto units = local::systemd_units(
      TRY(local::plan(project.procfile, "", context.flag("formation"), project.port)),
      {.app = app, .user = user, .directory = directory, .environment = project.env_file});

  if (context.arguments.size() < 2) {
    for (const auto& [file, text] : units)
      context.terminal.out(fmt::format("# {}\n{}\n", file, text));
    return 0;
  }
  const auto target = context.surroundings.directory / context.arguments[1];
  std::filesystem::create_directories(target);
  for (const auto& [file, text] : units) {
    os::replace_file(target / file, text, 0600);
    context.terminal.line(fmt::format("writing: {}", (target / file).string()));
  }
  return 0;
}

}  // namespace

Command local_export() {
  return {
      .name = "local:export",
      .usage = "FORMAT [DIR]",
      .summary = "write the Procfile as systemd units",
      .help =
          R"page(Writes a target and a service for each process, as foreman does; without DIR it shows them. The
values of .env are in the services, so their files are the owner's alone.

Example:
  $ renga local:export systemd /etc/systemd/system -a hello -u hello -m web=2,worker=1)page",
      .flags = {procfile_flag,
                env_flag,
                port_flag,
                formation_flag,
                root_flag,
                {"app", 'a', "NAME", "begins the units' names (default: the directory's)"},
                {"user", 'u', "USER", "who runs it (default: the app's name)"}},
      .run = run};
}

}  // namespace renga::cli
