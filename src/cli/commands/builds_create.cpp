#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/follow_build.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.has("source-url") == context.has("source-tar"))
    return fail(Kind::invalid, "Give one source: --source-url URL or --source-tar FILE.");
  json::object source;
  if (context.has("source-url")) {
    source["url"] = context.flag("source-url");
    if (context.has("checksum")) source["checksum"] = context.flag("checksum");
  } else {
    const auto archive =
        TRY(read_source_archive(context.surroundings.directory / context.flag("source-tar")));
    source["url"] = TRY(upload_source(context, archive));
    source["checksum"] = context.flag("checksum", archive.checksum);
  }
  if (context.has("version")) source["version"] = context.flag("version");
  json::object wanted{{"source_blob", source}};
  if (context.has("buildpacks")) {
    json::array buildpacks;
    const auto names = context.flag("buildpacks");
    for (const auto each : text::split(names, ','))
      buildpacks.push_back(json::object{{"url", text::trim(each)}});
    wanted["buildpacks"] = buildpacks;
  }
  return build_and_follow(context, wanted);
}

}  // namespace

Command builds_create() {
  return {.name = "builds:create",
          .usage = "",
          .summary = "build and release an archive",
          .help = R"(Examples:
  $ renga builds:create --source-tar app.tgz --version v12
  $ renga builds:create --source-url https://example.com/app.tgz --checksum SHA256:...)",
          .flags = {app_flag,
                    {"source-url", 0, "URL", "a tar.gz that the server fetches"},
                    {"source-tar", 0, "FILE", "a tar.gz that is uploaded"},
                    {"checksum", 0, "SHA256:HEX", "of the archive; another one is refused"},
                    {"version", 0, "TEXT", "what to call it"},
                    {"buildpacks", 0, "A,B", "for this build only"}},
          .run = run};
}

}  // namespace renga::cli
