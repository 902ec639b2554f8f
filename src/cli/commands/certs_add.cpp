#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/certificates.h"
#include "cli/commands/commands.h"
#include "crypto/server_certificate.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> run(Context& context) {
  if (context.arguments.size() < 2)
    return fail(Kind::invalid, "Which files? `renga certs:add example.com.crt example.com.key`.");
  const auto app = TRY(context.app());
  auto* platform = TRY(context.platform());
  const auto body = TRY(certificate_body(context, context.arguments[0], context.arguments[1]));
  const auto endpoint = TRY(platform->post(TRY(context.path("/sni-endpoints")), body));
  const auto name = text_at(endpoint, "name");
  context.terminal.say(fmt::format("Adding SSL certificate {} to {}... done", name, app));
  show_certificate(context, endpoint);

  std::vector<std::string> names;
  for (const auto& one : endpoint.at("ssl_cert").at("cert_domains").as_array())
    names.emplace_back(one.as_string());
  const auto domains = TRY(platform->get(TRY(context.path("/domains"))));
  for (const auto& domain : domains.as_array()) {
    const auto hostname = text_at(domain, "hostname");
    if (text_at(domain, "kind") != "custom" || !domain.at("sni_endpoint").is_null() ||
        !crypto::covers(names, hostname))
      continue;
    TRY(platform->patch(TRY(context.path("/domains/" + hostname)),
                        json::object{{"sni_endpoint", name}}));
    context.terminal.say(fmt::format("Serving {} with {}... done", hostname, name));
  }
  return 0;
}

}  // namespace

Command certs_add() {
  return {.name = "certs:add",
          .usage = "CHAIN KEY",
          .summary = "add a certificate to an app",
          .help = R"(CHAIN and KEY are PEM files: the certificate, with those between it and a root
behind it, and its private key. Custom domains that the certificate covers and
that have none yet are served with it at once; for others there is
`renga domains:update HOSTNAME --cert NAME`.)",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli
