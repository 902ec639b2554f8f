#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/addons_words.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  const auto list = TRY(TRY(context.platform())->get("/addon-services"));
  if (context.has("json")) {
    context.terminal.out(pretty(list));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& service : list.as_array())
    rows.push_back(
        {text_at(service, "name"), text_at(service, "human_name"), text_at(service, "state")});
  if (rows.empty())
    context.terminal.say(
        "No services. An administrator adds one with `renga addons:register MANIFEST`.");
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command addons_services() {
  return {.name = "addons:services",
          .usage = "",
          .summary = "list the services that add-ons can be had of",
          .help = R"()",
          .flags = {json_flag},
          .run = run};
}

}  // namespace renga::cli
