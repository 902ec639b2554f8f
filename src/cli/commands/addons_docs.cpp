#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/addons_words.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which service? `renga addons:docs heroku-redis`.");
  auto& platform = *TRY(context.platform());
  const auto service = std::string(text::split_once(context.arguments[0], ':').first);
  auto found = platform.get("/addon-services/" + text::url_encode(service));
  if (!found && found.error().kind == Kind::not_found)
    found = platform.get("/addon-services/" +
                         text_at(TRY(resolve_addon(context, service)), "addon_service.name"));
  const auto shown = TRY(std::move(found));
  if (const auto docs = text_at(shown, "docs_url"); !docs.empty()) {
    context.terminal.line(docs);
    return 0;
  }
  const auto name = text_at(shown, "name");
  // Those that are made as Heroku's are.
  if (!name.starts_with("heroku-"))
    return fail(Kind::not_found, fmt::format("The provider of {} does not say where it is "
                                             "documented (`docs_url` in its manifest).",
                                             name));
  context.terminal.line("https://devcenter.heroku.com/articles/" + name);
  return 0;
}

}  // namespace

Command addons_docs() {
  return {.name = "addons:docs",
          .usage = "SERVICE",
          .summary = "show where a service is documented",
          .help = R"()",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli
