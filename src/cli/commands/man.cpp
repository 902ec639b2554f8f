#include <fmt/format.h>

#include <fstream>

#include "base/text.h"
#include "cli/arguments.h"
#include "cli/commands/app_commands.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

// man(7): a backslash starts an escape, and so does a dot or a quote that opens a line; a bare
// hyphen may be set as a dash.
std::string roff(std::string_view plain) {
  std::string escaped;
  for (const auto line : text::lines(plain)) {
    if (!escaped.empty()) escaped += '\n';
    if (line.starts_with('.') || line.starts_with('\'')) escaped += "\\&";
    for (const char c : line) {
      if (c == '\\')
        escaped += "\\e";
      else if (c == '-')
        escaped += "\\-";
      else
        escaped += c;
    }
  }
  return escaped;
}

// "ps:scale" has the page renga-ps-scale(1), as git's commands have theirs.
std::string page_name(const Command& command) {
  return "renga-" + text::replace_all(std::string(command.name), ":", "-");
}

std::string page(const Command& command) {
  auto out = fmt::format(".TH {} 1\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n.B renga {}\n{} [flags]\n",
                         text::upper(page_name(command)), roff(page_name(command)),
                         roff(command.summary), roff(command.name), roff(command.usage));
  if (!command.help.empty())
    out += fmt::format(".SH DESCRIPTION\n.nf\n{}\n.fi\n", roff(text::trim(command.help)));
  out += ".SH OPTIONS\n";
  const auto add = [&](const Flag& flag) {
    out +=
        fmt::format(".TP\n.B {}{}{}\n{}\n", flag.letter ? fmt::format("\\-{}, ", flag.letter) : "",
                    roff(fmt::format("--{}", flag.name)),
                    flag.value.empty() ? "" : " " + roff(flag.value), roff(flag.summary));
  };
  for (const auto& flag : command.flags) add(flag);
  if (!command.hidden)
    for (const auto& flag : common_flags()) add(flag);
  return out;
}

std::string overview_page() {
  std::string out =
      ".TH RENGA 1\n.SH NAME\nrenga \\- git push, and the app is live\n.SH SYNOPSIS\n.B renga\n"
      "COMMAND [arguments] [flags]\n.SH COMMANDS\n";
  for (const auto& command : all_commands())
    out += fmt::format(".TP\n.B {}\n{}\n", roff(command.name), roff(command.summary));
  return out;
}

Result<int> run(Context& context) {
  if (context.has("all")) {
    const auto directory = context.surroundings.directory / context.flag("all");
    std::filesystem::create_directories(directory);
    std::size_t written = 0;
    const auto write = [&](const std::string& name, const std::string& text) {
      std::ofstream file(directory / (name + ".1"));
      file << text;
      written += file.flush() ? 1 : 0;
    };
    write("renga", overview_page());
    for (const auto& command : all_commands()) write(page_name(command), page(command));
    if (written != all_commands().size() + 1)
      return fail(Kind::invalid, fmt::format("{} cannot be written to.", directory.string()));
    context.terminal.say(fmt::format("Wrote {} pages to {}.", written, directory.string()));
    return 0;
  }
  if (context.arguments.empty()) {
    context.terminal.out(overview_page());
    return 0;
  }
  for (const auto& command : all_commands())
    if (command.name == context.arguments[0]) {
      context.terminal.out(page(command));
      return 0;
    }
  return fail(Kind::not_found,
              fmt::format("There is no command {}. See `renga help`.", context.arguments[0]));
}

}  // namespace

Command man() {
  return {.name = "man",
          .usage = "[COMMAND]",
          .summary = "print a manual page for man, or write them all",
          .help = R"(Examples:
  $ renga man ps:scale | man -l -
  $ sudo renga man --all /usr/local/share/man/man1
  $ man renga-ps-scale)",
          .flags = {{"all", 0, "DIR", "write the pages of all commands there"}},
          .run = run};
}

}  // namespace renga::cli
