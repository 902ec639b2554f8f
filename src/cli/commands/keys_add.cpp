#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/account_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<std::filesystem::path> public_key_of(Context& context) {
  if (!context.arguments.empty()) return context.surroundings.directory / context.arguments[0];
  const auto home = context.surroundings.environment.find("HOME");
  if (home != context.surroundings.environment.end())
    for (const auto* name : {"id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub"}) {
      const auto file = std::filesystem::path(home->second) / ".ssh" / name;
      if (std::filesystem::exists(file)) return file;
    }
  return fail(Kind::invalid,
              "There is no public key in ~/.ssh. Make one with `ssh-keygen -t ed25519`, or name "
              "its file.");
}

Result<int> run(Context& context) {
  const auto file = TRY(public_key_of(context));
  std::ifstream in(file);
  const std::string line(std::istreambuf_iterator<char>(in), {});
  if (!in) return fail(Kind::invalid, fmt::format("{} cannot be read.", file.string()));
  // Sent to nobody, whatever the server would say of it.
  if (line.find("PRIVATE KEY") != std::string::npos)
    return fail(Kind::invalid, fmt::format("{} is a private key. The public one is in {}.pub.",
                                           file.string(), file.string()));
  TRY(TRY(context.platform())->post("/account/keys", json::object{{"public_key", line}}));
  context.terminal.say(fmt::format("Uploading {} SSH key... done", file.string()));
  return 0;
}

}  // namespace

Command keys_add() {
  return {
      .name = "keys:add",
      .usage = "[FILE]",
      .summary = "add an SSH key",
      .help = R"(Without a file: the first of id_ed25519.pub, id_ecdsa.pub and id_rsa.pub in ~/.ssh.

Example:
  $ renga keys:add ~/.ssh/id_ed25519.pub)",
      .flags = {},
      .run = run};
}

}  // namespace renga::cli
