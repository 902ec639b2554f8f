#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/certificates.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context& context) {
  const auto name = text_at(TRY(certificate_of(context)), "name");
  TRY(confirm_with_app(context, fmt::format("This removes the certificate {} for good.", name)));
  TRY(TRY(context.platform())->remove(TRY(context.path("/sni-endpoints/" + name))));
  context.terminal.say(
      fmt::format("Removing SSL certificate {} from {}... done", name, TRY(context.app())));
  return 0;
}

}  // namespace

Command certs_remove() {
  return {.name = "certs:remove",
          .usage = "",
          .summary = "remove a certificate from an app",
          .help = R"(Its domains are served with the platform's own certificate then. Asks for the
app's name, unless --confirm gives it.)",
          .flags = {app_flag,
                    name_flag,
                    {"confirm", 'c', "NAME", "the app's name, instead of being asked"}},
          .run = run};
}

}  // namespace renga::cli
