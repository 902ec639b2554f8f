#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/certificates.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  if (context.arguments.size() < 2)
    return fail(Kind::invalid,
                "Which files? `renga certs:update example.com.crt example.com.key`.");
  const auto body = TRY(certificate_body(context, context.arguments[0], context.arguments[1]));
  const auto name = text_at(TRY(certificate_of(context)), "name");
  TRY(confirm_with_app(context, fmt::format("This changes the certificate {}.", name)));
  const auto path = TRY(context.path("/sni-endpoints/" + name));
  const auto endpoint = TRY(TRY(context.platform())->patch(path, body));
  context.terminal.say(
      fmt::format("Updating SSL certificate {} for {}... done", name, TRY(context.app())));
  show_certificate(context, endpoint);
  return 0;
}

}  // namespace

Command certs_update() {
  return {.name = "certs:update",
          .usage = "CHAIN KEY",
          .summary = "put another certificate in the place of one",
          .help = R"(No connection is dropped: those that stand go on, new ones get the new
certificate. Asks for the app's name, unless --confirm gives it.)",
          .flags = {app_flag,
                    name_flag,
                    {"confirm", 'c', "NAME", "the app's name, instead of being asked"}},
          .run = run};
}

}  // namespace renga::cli
