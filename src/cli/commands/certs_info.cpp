#include "cli/answers.h"
#include "cli/certificates.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto endpoint = TRY(certificate_of(context));
  if (context.has("json")) {
    context.terminal.out(pretty(endpoint));
    return 0;
  }
  show_certificate(context, endpoint);
  if (!context.has("show-domains")) return 0;
  const auto domains = TRY(TRY(context.platform())->get(TRY(context.path("/domains"))));
  for (const auto& domain : domains.as_array())
    if (text_at(domain, "sni_endpoint.name") == text_at(endpoint, "name"))
      context.terminal.line(text_at(domain, "hostname"));
  return 0;
}

}  // namespace

Command certs_info() {
  return {.name = "certs:info",
          .usage = "",
          .summary = "show a certificate",
          .help = R"()",
          .flags = {app_flag,
                    name_flag,
                    json_flag,
                    {"show-domains", 0, "", "also the domains that it serves"}},
          .run = run};
}

}  // namespace renga::cli
