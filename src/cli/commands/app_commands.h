// More commands of an app's: its requests and its features.
#pragma once

#include "cli/command.h"

namespace renga::cli {

Command metrics();
Command features();
Command features_enable();
Command features_disable();
Command server_restart();

}  // namespace renga::cli
