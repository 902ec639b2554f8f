#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Which host name? `renga domains:add www.example.com`.");
  const auto path = TRY(context.path("/domains"));
  json::value cert = nullptr;
  if (context.has("cert")) cert = json::string(context.flag("cert"));
  const auto domain = TRY(TRY(context.platform())
                              ->post(path, json::object{{"hostname", context.arguments[0]},
                                                        {"sni_endpoint", std::move(cert)}}));
  context.terminal.say(
      fmt::format("Adding {} to {}... done", text_at(domain, "hostname"), TRY(context.app())));
  return 0;
}

}  // namespace

Command domains_add() {
  return {.name = "domains:add",
          .usage = "HOSTNAME",
          .summary = "let an app answer at a host name",
          .help = R"()",
          .flags = {app_flag, {"cert", 0, "NAME", "the certificate that it is served with"}},
          .run = run};
}

}  // namespace renga::cli
