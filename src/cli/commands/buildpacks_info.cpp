#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which buildpack? `renga buildpacks:info heroku/python`.");
  auto name = context.arguments[0];
  if (name.find('/') == std::string::npos) name = "heroku/" + name;
  const auto found = TRY(TRY(context.platform())->get("/buildpacks/" + text::url_encode(name)));
  if (context.has("json")) {
    context.terminal.out(pretty(found));
    return 0;
  }
  const bool own = text_at(found, "source.type") == "builtin";
  context.terminal.line("=== " + name);
  context.terminal.out(columns(
      {{"For:", text_at(found, "description")},
       {"From:", own ? "this server"
                     : fmt::format("https://github.com/{}/{}", text_at(found, "source.owner"),
                                   text_at(found, "source.repo"))}}));
  return 0;
}

}  // namespace

Command buildpacks_info() {
  return {.name = "buildpacks:info",
          .usage = "BUILDPACK",
          .summary = "show a buildpack",
          .help = R"()",
          .flags = {json_flag},
          .run = run};
}

}  // namespace renga::cli
