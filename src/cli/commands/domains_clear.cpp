#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/app_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> clear(Context& context) {
  auto* platform = TRY(context.platform());
  const auto path = TRY(context.path("/domains"));
  const auto domains = TRY(platform->get(path));
  for (const auto& domain : domains.as_array())
    if (text_at(domain, "kind") == "custom")
      TRY(platform->remove(path + "/" + text_at(domain, "id")));
  context.terminal.say(
      fmt::format("Removing all custom domains from {}... done", TRY(context.app())));
  return 0;
}

Result<int> info(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which domain? `renga domains` lists them.");
  const auto path = TRY(context.path("/domains/" + text::url_encode(context.arguments[0])));
  const auto domain = TRY(TRY(context.platform())->get(path));
  if (context.has("json")) {
    context.terminal.out(pretty(domain));
    return 0;
  }
  context.terminal.out(columns({{"Hostname:", text_at(domain, "hostname")},
                                {"Kind:", text_at(domain, "kind")},
                                {"DNS target:", text_at(domain, "cname")},
                                {"Certificate:", text_at(domain, "sni_endpoint.name")},
                                {"Status:", text_at(domain, "status")},
                                {"Added:", when(text_at(domain, "created_at"))}}));
  return 0;
}

}  // namespace

Command domains_info() {
  return {.name = "domains:info",
          .usage = "HOSTNAME",
          .summary = "show a host name of an app",
          .help = R"()",
          .flags = {app_flag, json_flag},
          .run = info};
}

Command domains_clear() {
  return {.name = "domains:clear",
          .usage = "",
          .summary = "remove all host names that were added",
          .help = R"()",
          .flags = {app_flag},
          .run = clear};
}

}  // namespace renga::cli
