#include "cli/cli.h"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "cli/arguments.h"
#include "cli/commands/commands.h"
#include "cli/suggestions.h"

namespace renga::cli {
namespace {

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nobody reads any more
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

class RealTerminal final : public Terminal {
 public:
  void out(std::string_view text) override { write_all(STDOUT_FILENO, text); }
  void err(std::string_view text) override { write_all(STDERR_FILENO, text); }
  bool interactive() const override { return ::isatty(STDOUT_FILENO) == 1; }

  std::string ask(std::string_view question, bool secret) override {
    err(question);
    termios before{};
    const bool hide = secret && ::tcgetattr(STDIN_FILENO, &before) == 0;
    if (hide) {
      auto hidden = before;
      hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
      ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    std::string answer;
    std::getline(std::cin, answer);
    if (hide) {
      ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
      err("\n");
    }
    return answer;
  }
};

// Scripts tell by it what went wrong: 1 refused or failed (2 is: not understood), 3 not signed in,
// 4 not allowed, 5 not found, 6 another operation stands in the way, 7 too many calls, 8 the server
// or a part of it is not there.
int exit_status(Kind kind) {
  switch (kind) {
    case Kind::unauthorized:
      return 3;
    case Kind::forbidden:
      return 4;
    case Kind::not_found:
      return 5;
    case Kind::conflict:
      return 6;
    case Kind::rate_limited:
      return 7;
    case Kind::unavailable:
      return 8;
    case Kind::bad_request:
    case Kind::not_acceptable:
    case Kind::invalid:
    case Kind::too_large:
    case Kind::unsupported:
      break;
  }
  return 1;
}

}  // namespace

int run(std::span<const Command> commands, const std::vector<std::string>& arguments,
        Terminal& terminal, const client::Surroundings& surroundings,
        const TransportMaker& transport) {
  auto words = arguments;
  bool wants_help = words.empty();
  if (!words.empty() && (words[0] == "help" || words[0] == "--help" || words[0] == "-h")) {
    wants_help = true;
    words.erase(words.begin());
  }
  if (words.empty()) {
    terminal.out(overview(commands));
    return 0;
  }
  if (words[0] == "--version" || words[0] == "-v") words[0] = "version";

  const auto command = std::ranges::find(commands, without_alias(words[0]), &Command::name);
  if (command == commands.end()) {
    terminal.say(
        fmt::format("renga has no command {}. {}", words[0], suggestion_for(commands, words[0])));
    return 2;
  }
  words.erase(words.begin());

  Context context(terminal, surroundings, transport);
  if (const auto parsed = parse_arguments(*command, words, context); !parsed) {
    terminal.say(parsed.error().message);
    return 2;
  }
  if (wants_help || context.has("help")) {
    terminal.out(manual(*command) + siblings(commands, *command));
    return 0;
  }
  try {
    const auto status = command->run(context);
    if (status) return *status;
    terminal.say(fmt::format(" !    {}", status.error().message));
    // `renga local` ends as other runners of a Procfile do.
    return command->name.starts_with("local") ? 1 : exit_status(status.error().kind);
  } catch (const std::exception& error) {
    terminal.say(fmt::format(" !    {} failed: {}", command->name, error.what()));
  }
  return 1;
}

int main(int argc, char** argv) {
  RealTerminal terminal;
  return run(all_commands(), std::vector<std::string>(argv + std::min(argc, 1), argv + argc),
             terminal, client::real_surroundings(), client::http_transport);
}

}  // namespace renga::cli
