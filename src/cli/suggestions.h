// Guessing at what a mistyped word was meant to be.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/command.h"

namespace renga::cli {

// How many letters were left out, put in, changed or swapped with the next (Damerau-Levenshtein).
std::size_t distance(std::string_view a, std::string_view b);

// A sentence: the command that is meant, or the topic's commands, or where to look.
std::string suggestion_for(std::span<const Command> commands, std::string_view name);
// The same for a flag, as it was typed ("--jsn"): empty when none is near.
std::string suggestion_for_flag(std::span<const Flag> flags, std::string_view word);

// Heroku's other names for a command ("create" for "apps:create"); the word itself otherwise.
std::string_view without_alias(std::string_view name);

}  // namespace renga::cli
