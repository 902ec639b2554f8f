#include "cli/attached.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/answers.h"

namespace renga::cli {
namespace json = boost::json;

std::string command_line(const Context& context, std::size_t skip) {
  auto words = context.arguments;
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(skip));
  words.insert(words.end(), context.rest.begin(), context.rest.end());
  if (words.empty()) return {};
  if (words.size() == 1) return words.front();
  for (auto& word : words) word = text::shell_quote(word);
  return text::join(words, " ");
}

bool at_terminal(const Context& context) {
  return !context.has("no-tty") && ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
}

Result<json::object> attached_environment(const Context& context, bool terminal) {
  json::object env;
  const auto term = context.surroundings.environment.find("TERM");
  if (term != context.surroundings.environment.end()) env["TERM"] = term->second;
  winsize size{};
  if (terminal && ::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    env["COLUMNS"] = std::to_string(size.ws_col);
    env["LINES"] = std::to_string(size.ws_row);
  }
  const auto given = TRY(given_environment(context));
  for (const auto& [name, value] : given) env[name] = value;
  return env;
}

Result<json::object> given_environment(const Context& context) {
  json::object env;
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

Result<void> add_limits(const Context& context, json::object& wanted) {
  if (context.has("size")) wanted["size"] = context.flag("size");
  if (!context.has("time-to-live")) return {};
  const auto seconds = text::number(context.flag("time-to-live"));
  if (!seconds) return fail(Kind::invalid, "--time-to-live takes a number of seconds.");
  wanted["time_to_live"] = *seconds;
  return {};
}

client::AttachOptions attach_options(const client::Platform& platform, bool terminal) {
  const auto& settings = platform.settings();
  client::AttachOptions options;
  options.ca = settings.ca;
  options.terminal = terminal;
  // In clear on this machine there is nothing that a certificate would add.
  options.verify =
      !(settings.ca.empty() && settings.is_loopback() && settings.url.starts_with("http://"));
  return options;
}

Result<std::string> dyno_to_enter(Context& context) {
  if (context.has("dyno")) return context.flag("dyno");
  const auto dynos = TRY(TRY(context.platform())->get(TRY(context.path("/dynos"))));
  std::string first;
  for (const auto& dyno : dynos.as_array()) {
    if (text_at(dyno, "state") != "up") continue;
    if (text_at(dyno, "name") == "web.1") return "web.1";
    if (first.empty()) first = text_at(dyno, "name");
  }
  if (first.empty())
    return fail(Kind::not_found, "No dyno of " + TRY(context.app()) +
                                     " is up. `renga ps` shows them; `renga run` starts one.");
  return first;
}

}  // namespace renga::cli
