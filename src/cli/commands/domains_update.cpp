#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.empty() || context.has("cert") == context.has("no-cert"))
    return fail(Kind::invalid,
                "Which host name, and which certificate? `renga domains:update www.example.com "
                "--cert NAME`, or --no-cert.");
  const auto path = TRY(context.path("/domains/" + context.arguments[0]));
  json::value cert = nullptr;
  if (context.has("cert")) cert = json::string(context.flag("cert"));
  const auto domain =
      TRY(TRY(context.platform())->patch(path, json::object{{"sni_endpoint", std::move(cert)}}));
  context.terminal.say(fmt::format("Updating {}... done", text_at(domain, "hostname")));
  return 0;
}

}  // namespace

Command domains_update() {
  return {.name = "domains:update",
          .usage = "HOSTNAME",
          .summary = "say which certificate a host name is served with",
          .help = R"()",
          .flags = {app_flag,
                    {"cert", 0, "NAME", "the certificate's name, as `renga certs` lists it"},
                    {"no-cert", 0, "", "the platform's own certificate"}},
          .run = run};
}

}  // namespace renga::cli
