// Words of the command line, sorted into flags and arguments.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/command.h"

namespace renga::cli {

// Flags may stand anywhere before `--`; --name VALUE, --name=VALUE, -n VALUE and -nVALUE are the
// same. Every command also takes --url and --help. Kind::invalid: an unknown flag, one without its
// value, or more arguments than the usage line names.
Result<void> parse_arguments(const Command& command, const std::vector<std::string>& words,
                             Context& context);

// What every command takes beside its own.
std::span<const Flag> common_flags();

// "Usage: renga ps:scale ...": the command's manual page.
std::string manual(const Command& command);
// The commands of the topic that this one gives its name to; empty for any other.
std::string siblings(std::span<const Command> commands, const Command& command);
// All commands with their summaries.
std::string overview(std::span<const Command> commands);

}  // namespace renga::cli
