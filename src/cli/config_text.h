// Config vars as text: lines for a shell, which `config --shell` prints and `config:edit` reads
// back, and what a terminal shows of a secret.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace renga::cli {

using Vars = std::map<std::string, std::string>;

// "NAME='a value'", one a line; a value may have lines of its own inside its quotes.
std::string shell_lines(const Vars& vars);
// What a shell would read from assignments alone: '...', "..." with \" \\ \$ \` and backslashes;
// blank lines and lines that start with '#' are skipped, nothing is expanded. Kind::invalid names
// the line.
Result<Vars> parse_shell_lines(std::string_view text);

// By its name (KEY, TOKEN, SECRET, PASS, ...), or because it is a URL with a password.
bool is_secret(std::string_view name, std::string_view value);
// A secret without what must not be seen: the password of a URL, or all of it. Others as they are.
std::string masked(std::string_view name, std::string_view value);

}  // namespace renga::cli
