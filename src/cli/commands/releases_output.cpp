#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  auto* platform = TRY(context.platform());
  auto which = context.arguments.empty() ? std::string() : context.arguments[0];
  if (which.starts_with('v')) which.erase(0, 1);
  const auto release =
      which.empty() ? TRY(context.newest_release())
                    : TRY(platform->get(TRY(context.path("/releases/" + text::url_encode(which)))));
  const auto url = text_at(release, "output_stream_url");
  if (url.empty()) return fail(Kind::not_found, "This release has no release command.");
  TRY(platform->stream(url, {}, [&](std::string_view piece) {
    context.terminal.out(piece);
    return true;
  }));
  return 0;
}

}  // namespace

Command releases_output() {
  return {.name = "releases:output",
          .usage = "[RELEASE]",
          .summary = "show what a release command printed",
          .help = R"()",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli
