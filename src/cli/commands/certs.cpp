#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto path = TRY(context.path("/sni-endpoints"));
  const auto all = TRY(TRY(context.platform())->get(path));
  if (context.has("json")) {
    context.terminal.out(pretty(all));
    return 0;
  }
  if (all.as_array().empty()) {
    context.terminal.say(TRY(context.app()) +
                         " has no certificates of its own. Add one: `renga certs:add CHAIN KEY`.");
    return 0;
  }
  std::vector<std::vector<std::string>> rows{
      {"Name", "Common Name(s)", "Expires", "Trusted", "Domains"}};
  for (const auto& one : all.as_array()) {
    std::string names;
    for (const auto& name : one.at("ssl_cert").at("cert_domains").as_array())
      names += (names.empty() ? "" : ", ") + std::string(name.as_string());
    rows.push_back({text_at(one, "name"), names, when(text_at(one, "ssl_cert.expires_at")),
                    flag_at(one, "ssl_cert.ca_signed?") ? "True" : "False",
                    std::to_string(one.at("domains").as_array().size())});
  }
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command certs() {
  return {.name = "certs",
          .usage = "",
          .summary = "list an app's certificates",
          .help = R"()",
          .flags = {app_flag, json_flag},
          .run = run};
}

}  // namespace renga::cli
