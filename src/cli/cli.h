// The CLI: `renga COMMAND`, with the names and habits of Heroku's.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/command.h"

namespace renga::cli {

// The program. Exit status: 0 done, 1 refused or failed, 2 not understood; others by the kind of
// refusal.
int main(int argc, char** argv);

// The same with everything handed in: `arguments` without the program's name.
int run(std::span<const Command> commands, const std::vector<std::string>& arguments,
        Terminal& terminal, const client::Surroundings& surroundings,
        const TransportMaker& transport);

}  // namespace renga::cli
