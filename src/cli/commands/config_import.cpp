#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"
#include "local/env_file.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  const auto files = context.arguments.empty() ? std::string(".env") : context.arguments[0];
  const auto vars = TRY(local::read_env_files(context.surroundings.directory, files));
  if (vars.empty()) return fail(Kind::invalid, fmt::format("There is no NAME=value in {}.", files));
  auto* platform = TRY(context.platform());
  const auto path = TRY(context.path("/config-vars"));
  json::object changes;
  if (context.has("keep")) {
    const auto there = TRY(platform->get(path));
    for (const auto& [name, value] : vars)
      if (!there.as_object().contains(name)) changes[name] = value;
  } else {
    for (const auto& [name, value] : vars) changes[name] = value;
  }
  const auto before = TRY(context.newest_release());
  if (!changes.empty()) TRY(platform->patch(path, changes));
  const auto after = TRY(context.newest_release());
  if (text_at(before, "version") == text_at(after, "version")) {
    context.terminal.say(fmt::format("{} has all of {} already.", TRY(context.app()), files));
    return 0;
  }
  context.terminal.say(
      fmt::format("Importing {} config vars from {} and restarting {}... done, v{}", changes.size(),
                  files, TRY(context.app()), text_at(after, "version")));
  return 0;
}

}  // namespace

Command config_import() {
  return {
      .name = "config:import",
      .usage = "[FILE,...]",
      .summary = "set the config vars of a .env file",
      .help = R"(The file is read as `renga local` reads it: lines of NAME=value, or JSON. Without
one: .env. PORT is set by the platform, and a PORT of the file has no effect on dynos.

Example:
  $ renga config:import .env.staging -a sushi-staging)",
      .flags = {app_flag, {"keep", 'k', "", "leave config vars that are set already"}},
      .run = run};
}

}  // namespace renga::cli
