#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/follow_build.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  const auto directory = context.arguments.empty()
                             ? context.surroundings.directory
                             : context.surroundings.directory / context.arguments[0];
  const auto app = TRY(context.app());
  const auto archive = TRY(archive_source(directory));
  context.terminal.say(
      fmt::format("Uploading {} ({} KB) to {}...",
                  context.arguments.empty() ? "this directory" : context.arguments[0],
                  (archive.bytes.size() + 1023) >> 10, app));
  json::object source{{"url", TRY(upload_source(context, archive))},
                      {"checksum", archive.checksum}};
  const auto version = context.flag("version", archive.version);
  if (!version.empty()) source["version"] = version;
  if (!archive.description.empty()) source["version_description"] = archive.description;
  return build_and_follow(context, {{"source_blob", source}});
}

}  // namespace

Command deploy() {
  return {
      .name = "deploy",
      .usage = "[DIRECTORY]",
      .summary = "build and release a directory, without git",
      .help =
          R"(In a git repository, what git would take is deployed, committed or not; elsewhere all of the
directory. Examples:
  $ renga deploy
  $ renga deploy ./site -a my-site)",
      .flags = {app_flag, {"version", 0, "TEXT", "what to call it; else the commit"}},
      .run = run};
}

}  // namespace renga::cli
