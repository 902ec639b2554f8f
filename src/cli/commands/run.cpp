#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"
#include "client/attach.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

// What -e says: NAME=VALUE, or several with ; between them.
Result<json::object> environment(const Context& context, bool terminal) {
  json::object env;
  const auto term = context.surroundings.environment.find("TERM");
  if (term != context.surroundings.environment.end()) env["TERM"] = term->second;
  winsize size{};
  if (terminal && ::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    env["COLUMNS"] = std::to_string(size.ws_col);
    env["LINES"] = std::to_string(size.ws_row);
  }
  if (!context.has("env")) return env;
  const auto given = context.flag("env");
  for (const auto& pair : text::split(given, ';')) {
    const auto [name, value] = text::split_once(pair, '=');
    if (name.empty() || std::string_view(pair).find('=') == std::string_view::npos)
      return fail(Kind::invalid, "--env takes NAME=VALUE, several with ; between them.");
    env[name] = value;
  }
  return env;
}

Result<int> run_attached(Context& context) {
  auto words = context.arguments;
  words.insert(words.end(), context.rest.begin(), context.rest.end());
  if (words.empty()) return fail(Kind::invalid, "Run what? `renga run -- python manage.py shell`.");
  // One argument is a command line for the shell; several are words.
  std::string command = words.front();
  if (words.size() > 1) {
    for (auto& word : words) word = text::shell_quote(word);
    command = text::join(words, " ");
  }

  const bool terminal =
      !context.has("no-tty") && ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
  json::object wanted{{"command", command}, {"attach", true}, {"force_no_tty", !terminal}};
  wanted["env"] = TRY(environment(context, terminal));
  if (context.has("size")) wanted["size"] = context.flag("size");

  auto* platform = TRY(context.platform());
  const auto dyno = TRY(platform->post(TRY(context.path("/dynos")), wanted));
  if (terminal)
    context.terminal.say(fmt::format("Running {}... {}", command, text_at(dyno, "name")));
  const auto& settings = platform->settings();
  client::AttachOptions options;
  options.ca = settings.ca;
  options.terminal = terminal;
  // In clear on this machine there is nothing that a certificate would add.
  options.verify =
      !(settings.ca.empty() && settings.is_loopback() && settings.url.starts_with("http://"));
  return client::attach(text_at(dyno, "attach_url"), options);
}

}  // namespace

Command run() {
  return {
      .name = "run",
      .usage = "COMMAND ...",
      .summary = "run a command in a one-off dyno, at this terminal",
      .help =
          R"(The exit status is the command's. Flags come before the command; behind -- everything is
the command's. With standard input and output at a terminal the dyno has one too; otherwise bytes
go through unchanged, and the end of the input is the command's.

Examples:
  $ renga run -- python manage.py shell
  $ renga run -- pg_dump --format=custom mydb > dump
  $ renga run --env DEBUG=1 -- ./import < rows.csv)",
      .flags = {app_flag,
                {"exit-code", 'x', "", "as Heroku's CLI has it; always so here"},
                {"no-tty", 0, "", "no terminal in the dyno"},
                {"env", 'e', "NAME=VALUE", "more environment; several with ; between them"},
                {"size", 's', "SIZE", "the dyno's size"}},
      .run = run_attached};
}

}  // namespace renga::cli
