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
    return fail(Kind::invalid, "Which manifest? `renga addons:register addon-manifest.json`.");
  const auto text = TRY(read_manifest(context, context.arguments[0]));
  const auto service = TRY(TRY(context.platform())->post("/addon-services", text));
  context.terminal.say(fmt::format("{} is in the catalog. Try `renga provider check {}`.",
                                   text_at(service, "name"), context.arguments[0]));
  for (const auto& [name, secret] : service.at("secrets").as_object()) {
    context.terminal.say(
        fmt::format("The manifest has no {0}, so this was made up. It is shown this once; the "
                    "provider needs it:",
                    std::string_view(name)));
    context.terminal.line(
        fmt::format("{}={}", std::string_view(name), std::string_view(secret.as_string())));
  }
  return 0;
}

Result<int> run_unregister(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which service? `renga addons:unregister NAME`.");
  const auto service = TRY(
      TRY(context.platform())->remove("/addon-services/" + text::url_encode(context.arguments[0])));
  context.terminal.say(fmt::format("{} is out of the catalog.", text_at(service, "name")));
  return 0;
}

}  // namespace

Command addons_register() {
  return {
      .name = "addons:register",
      .usage = "MANIFEST",
      .summary = "add a provider to the catalog, or change it (administrators)",
      .help =
          R"(The manifest is Heroku's addon-manifest.json with plans; docs/addons.md has all of it.)",
      .flags = {},
      .run = run};
}

Command addons_unregister() {
  return {.name = "addons:unregister",
          .usage = "SERVICE",
          .summary = "take a provider out of the catalog (administrators)",
          .help = R"(Only one that has no add-ons.)",
          .flags = {},
          .run = run_unregister};
}

}  // namespace renga::cli
