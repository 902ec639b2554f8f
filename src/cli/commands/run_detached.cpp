#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  auto words = context.arguments;
  words.insert(words.end(), context.rest.begin(), context.rest.end());
  if (words.empty())
    return fail(Kind::invalid, "Run what? `renga run:detached -- python manage.py migrate`.");
  // One argument is a command line for the shell; several are words.
  std::string command = words.front();
  if (words.size() > 1) {
    for (auto& word : words) word = text::shell_quote(word);
    command = text::join(words, " ");
  }
  json::object wanted{{"command", command}, {"attach", false}};
  if (context.has("size")) wanted["size"] = context.flag("size");
  const auto path = TRY(context.path("/dynos"));
  const auto dyno = TRY(TRY(context.platform())->post(path, wanted));
  context.terminal.say(fmt::format("Running {}... done, {}", command, text_at(dyno, "name")));
  context.terminal.line(
      fmt::format("Follow it with: renga logs --tail --dyno {}", text_at(dyno, "name")));
  return 0;
}

}  // namespace

Command run_detached() {
  return {.name = "run:detached",
          .usage = "COMMAND ...",
          .summary = "run a command in a one-off dyno, output to the log",
          .help = R"()",
          .flags = {app_flag, {"size", 's', "SIZE", "the dyno's size"}},
          .run = run};
}

}  // namespace renga::cli
