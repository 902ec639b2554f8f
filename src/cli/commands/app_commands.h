// The commands that are less often typed: about an app's surroundings, and about the CLI itself.
#pragma once

#include "cli/command.h"

namespace renga::cli {

Command metrics();
Command server_restart();
Command apps_transfer();
Command apps_transfers();
Command apps_transfers_accept();
Command apps_transfers_decline();
Command apps_transfers_cancel();
Command apps_join();
Command apps_leave();
Command regions();
Command ps_type();
Command ps_sizes();
Command ps_metrics();
Command ps_wait();
Command releases_retry();
Command domains_info();
Command domains_clear();
Command maintenance();
Command git_clone();
Command proxy();
Command completion();
Command completion_words();
Command man();

}  // namespace renga::cli
