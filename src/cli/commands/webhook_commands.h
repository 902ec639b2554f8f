// The commands about webhooks: all in webhooks.cpp.
#pragma once

#include "cli/command.h"

namespace renga::cli {

Command webhooks();
Command webhooks_add();
Command webhooks_info();
Command webhooks_update();
Command webhooks_remove();
Command webhooks_deliveries();
Command webhooks_events();

}  // namespace renga::cli
