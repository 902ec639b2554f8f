#include "cli/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "base/text.h"
#include "cli/suggestions.h"

namespace renga::cli {
namespace {

template <class Matches>
const Flag* find_flag(const Command& command, Matches matches) {
  for (const auto& flag : command.flags)
    if (matches(flag)) return &flag;
  for (const auto& flag : common_flags())
    if (matches(flag)) return &flag;
  return nullptr;
}

// How many arguments the usage line has room for: "[NAME]" is one, "NAME ..." any number.
std::size_t most_arguments(const Command& command) {
  if (command.usage.find("...") != std::string_view::npos)
    return std::numeric_limits<std::size_t>::max();
  return command.usage.empty() ? 0 : text::split(command.usage, ' ').size();
}

std::string spelled(const Flag& flag) {
  return fmt::format("{}--{}{}", flag.letter ? fmt::format("-{}, ", flag.letter) : "    ",
                     flag.name, flag.value.empty() ? "" : fmt::format(" {}", flag.value));
}

}  // namespace

std::span<const Flag> common_flags() {
  static constexpr Flag all[] = {
      {"url", 0, "URL", "the server; else RENGA_URL, the login, or this machine's"},
      {"remote", 'r', "REMOTE", "the git remote that names the app"},
      {"help", 'h', "", "show this page"},
  };
  return all;
}

Result<void> parse_arguments(const Command& command, const std::vector<std::string>& words,
                             Context& context) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (command.passes_on && !context.arguments.empty()) {
      context.arguments.push_back(word);
      continue;
    }
    if (word == "--") {
      context.rest.assign(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      return {};
    }
    if (!word.starts_with('-') || word == "-") {
      if (context.arguments.size() == most_arguments(command))
        return fail(Kind::invalid,
                    fmt::format("{} does not know what to do with {}. See `renga help {}`.",
                                command.name, word, command.name));
      context.arguments.push_back(word);
      continue;
    }

    const Flag* flag = nullptr;
    std::optional<std::string> value;
    if (word.starts_with("--")) {
      const auto [name, given] = text::split_once(std::string_view(word).substr(2), '=');
      flag =
          find_flag(command, [&, flag_name = name](const Flag& f) { return f.name == flag_name; });
      if (word.find('=') != std::string::npos) value = given;
    } else {
      flag = find_flag(command, [&](const Flag& f) { return f.letter == word[1]; });
      if (word.size() > 2) value = word.substr(word[2] == '=' ? 3 : 2);
    }
    if (!flag)
      return fail(Kind::invalid,
                  fmt::format("{} has no flag {}.{} See `renga help {}`.", command.name, word,
                              suggestion_for_flag(command.flags, word), command.name));
    if (flag->value.empty()) {
      if (value)
        return fail(Kind::invalid,
                    fmt::format("--{} of {} takes no value.", flag->name, command.name));
      value = "true";
    } else if (!value) {
      if (i + 1 >= words.size())
        return fail(Kind::invalid, fmt::format("--{} of {} needs a value: {}.", flag->name,
                                               command.name, flag->value));
      value = words[++i];
    }
    context.flags[std::string(flag->name)] = *value;
  }
  return {};
}

std::string manual(const Command& command) {
  auto page = fmt::format("{}\n\nUsage: renga {}{}{}\n", command.summary, command.name,
                          command.usage.empty() ? "" : " ", command.usage);
  page += "\nFlags:\n";
  const auto add = [&](const Flag& flag) {
    page += fmt::format("  {:24} {}\n", spelled(flag), flag.summary);
  };
  for (const auto& flag : command.flags) add(flag);
  if (!command.hidden)
    for (const auto& flag : common_flags()) add(flag);
  if (!command.help.empty()) page += fmt::format("\n{}\n", text::trim(command.help));
  return page;
}

std::string siblings(std::span<const Command> commands, const Command& command) {
  std::string list;
  for (const auto& other : commands)
    if (!other.hidden && other.name.starts_with(std::string(command.name) + ":"))
      list += fmt::format("  {:24} {}\n", other.name, other.summary);
  return list.empty() ? list : "\nCommands:\n" + list;
}

std::string overview(std::span<const Command> commands) {
  std::string page = "renga: git push, and the app is live.\n\nUsage: renga COMMAND\n\nCommands:\n";
  for (const auto& command : commands)
    if (!command.hidden) page += fmt::format("  {:22} {}\n", command.name, command.summary);
  page +=
      "\nServer:\n"
      "  server                 run the platform on this machine\n"
      "  server:stop            end it; --dynos stops what runs as well\n"
      "  server:restart         put a newer program in its place, without a lost request\n"
      "\n`renga help COMMAND` shows a command's page.\n";
  return page;
}

}  // namespace renga::cli
