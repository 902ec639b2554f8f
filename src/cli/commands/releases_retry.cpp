#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/app_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  auto* platform = TRY(context.platform());
  const auto newest = TRY(context.newest_release());
  const auto slug = text_at(newest, "slug.id");
  if (slug.empty())
    return fail(Kind::invalid, fmt::format("v{} has no slug: there is nothing to release again.",
                                           text_at(newest, "version")));
  const auto path = TRY(context.path("/releases"));
  const auto release = TRY(platform->post(
      path, json::object{{"slug", slug},
                         {"description", fmt::format("Retry of v{}: {}", text_at(newest, "version"),
                                                     text_at(newest, "description"))}}));
  context.terminal.say(fmt::format("Retrying v{}... done, v{}", text_at(newest, "version"),
                                   text_at(release, "version")));
  return 0;
}

}  // namespace

Command releases_retry() {
  return {.name = "releases:retry",
          .usage = "",
          .summary = "release the newest slug again, its release command included",
          .help = R"()",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli
