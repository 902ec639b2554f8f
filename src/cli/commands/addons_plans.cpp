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
    return fail(Kind::invalid, "Which service? `renga addons:plans heroku-postgresql`.");
  const auto list = TRY(
      TRY(context.platform())
          ->get(fmt::format("/addon-services/{}/plans", text::url_encode(context.arguments[0]))));
  if (context.has("json")) {
    context.terminal.out(pretty(list));
    return 0;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& plan : list.as_array())
    if (flag_at(plan, "visible"))
      rows.push_back({flag_at(plan, "default") ? "default" : "", text_at(plan, "name"),
                      text_at(plan, "human_name"), price_of(plan.at("price")),
                      text_at(plan, "description")});
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command addons_plans() {
  return {.name = "addons:plans",
          .usage = "SERVICE",
          .summary = "list a service's plans",
          .help = R"()",
          .flags = {json_flag},
          .run = run};
}

}  // namespace renga::cli
