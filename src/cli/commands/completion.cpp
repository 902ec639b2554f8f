#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/arguments.h"
#include "cli/commands/app_commands.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

// Both shells ask the program itself what may follow the words that are there: what they know is
// never older than the program.
constexpr std::string_view bash_script =
    R"(# renga's commands, flags and apps for bash. In ~/.bashrc:  source <(renga completion bash)
_renga() {
  local line="${COMP_LINE:0:$COMP_POINT}"
  local -a words
  read -ra words <<< "$line"
  [[ "$line" == *[[:space:]] ]] && words+=("")
  local word="${words[-1]}"
  mapfile -t COMPREPLY < <(renga completion:words -- "${words[@]:1}" 2>/dev/null)
  # bash takes a colon for the end of a word: what stands before the last one is there already.
  if [[ "$word" == *:* && "$COMP_WORDBREAKS" == *:* ]]; then
    local before="${word%"${word##*:}"}" i
    for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]="${COMPREPLY[i]#"$before"}"; done
  fi
}
complete -F _renga renga
)";

constexpr std::string_view zsh_script = R"(#compdef renga
# renga's commands, flags and apps for zsh. In ~/.zshrc, behind compinit:  source <(renga completion zsh)
_renga() {
  local -a found
  found=("${(@f)$(renga completion:words -- "${(@)words[2,$CURRENT]}" 2>/dev/null)}")
  compadd -- $found
}
compdef _renga renga
)";

Result<int> print(Context& context) {
  const auto shell = context.arguments.empty() ? std::string() : context.arguments[0];
  if (shell != "bash" && shell != "zsh")
    return fail(Kind::invalid,
                "For which shell? `renga completion bash` or `renga completion zsh`.");
  context.terminal.out(shell == "bash" ? bash_script : zsh_script);
  return 0;
}

// The names that a list of the server has. A server that does not answer has none.
std::vector<std::string> names_at(Context& context, const std::string& path) {
  std::vector<std::string> names;
  auto platform = context.platform();
  if (!platform) return names;
  const auto list = (*platform)->get(path);
  if (!list || !list->is_array()) return names;
  for (const auto& each : list->as_array()) names.push_back(text_at(each, "name"));
  return names;
}

// What may stand where the last word stands.
std::vector<std::string> candidates(Context& context, const std::vector<std::string>& words) {
  std::vector<std::string> all;
  if (words.size() <= 1) {
    for (const auto& command : all_commands()) all.emplace_back(command.name);
    all.emplace_back("help");
    return all;
  }
  if (words[0] == "help" || words[0] == "man") {
    for (const auto& command : all_commands()) all.emplace_back(command.name);
    return all;
  }
  const auto command = std::ranges::find(all_commands(), words[0], &Command::name);
  if (command == all_commands().end()) return all;
  const auto& before = words[words.size() - 2];
  if (before == "-a" || before == "--app") return names_at(context, "/apps");
  if (before == "--pipeline") return names_at(context, "/pipelines");
  if (words.back().starts_with('-')) {
    for (const auto& flag : command->flags) all.push_back(fmt::format("--{}", flag.name));
    for (const auto& flag : common_flags()) all.push_back(fmt::format("--{}", flag.name));
    return all;
  }
  if (command->name == "apps:destroy") return names_at(context, "/apps");
  if (command->name == "stack:set") return names_at(context, "/stacks");
  const bool by_type =
      command->name == "ps:restart" || command->name == "ps:stop" || command->name == "ps:exec";
  // The app that --app names further left, as it would be for the command itself.
  for (std::size_t i = 1; i + 1 < words.size(); ++i)
    if (words[i] == "-a" || words[i] == "--app") context.flags["app"] = words[i + 1];
  if (by_type)
    if (const auto path = context.path("/dynos")) return names_at(context, *path);
  return all;
}

Result<int> complete(Context& context) {
  const auto& words = context.rest;
  const auto last = words.empty() ? std::string() : words.back();
  for (const auto& candidate : candidates(context, words))
    if (candidate.starts_with(last)) context.terminal.line(candidate);
  return 0;
}

}  // namespace

Command completion() {
  return {.name = "completion",
          .usage = "SHELL",
          .summary = "print what makes bash or zsh complete commands, flags and apps",
          .help = R"(Examples:
  $ echo 'source <(renga completion bash)' >> ~/.bashrc
  $ echo 'source <(renga completion zsh)' >> ~/.zshrc)",
          .flags = {},
          .run = print};
}

Command completion_words() {
  return {.name = "completion:words",
          .usage = "",
          .summary = "print what may follow the words behind --",
          .help = R"(For the scripts of `renga completion`.)",
          .flags = {},
          .run = complete,
          .hidden = true};
}

}  // namespace renga::cli
