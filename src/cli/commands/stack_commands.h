// The commands of stacks.
#pragma once

#include "cli/command.h"

namespace renga::cli {

Command stack();
Command stack_set();
Command stacks_install();

}  // namespace renga::cli
