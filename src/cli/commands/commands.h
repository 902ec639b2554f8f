// Every command, one function a file, in the order of `renga help`.
#pragma once

#include <span>

#include "cli/command.h"

namespace renga::cli {

std::span<const Command> all_commands();

Command apps();
Command apps_create();
Command apps_info();
Command apps_open();
Command apps_rename();
Command apps_destroy();
Command config();
Command config_get();
Command config_set();
Command config_unset();
Command config_edit();
Command config_import();
Command config_diff();
Command config_history();
Command ps();
Command ps_scale();
Command ps_restart();
Command ps_stop();
Command ps_exec();
Command ps_copy();
Command ps_forward();
Command run();
Command run_detached();
Command schedule();
Command schedule_add();
Command schedule_remove();
Command schedule_run();
Command schedule_history();
Command schedule_output();
Command logs();
Command drains();
Command drains_add();
Command drains_remove();
Command releases();
Command releases_info();
Command releases_output();
Command releases_rollback();
Command domains();
Command domains_add();
Command domains_remove();
Command domains_update();
Command certs();
Command certs_add();
Command certs_update();
Command certs_remove();
Command certs_info();
Command certs_generate();
Command maintenance_on();
Command maintenance_off();
Command deploy();
Command builds();
Command builds_info();
Command builds_output();
Command builds_cancel();
Command builds_create();
Command builds_cache_purge();
Command buildpacks();
Command buildpacks_add();
Command buildpacks_set();
Command buildpacks_remove();
Command buildpacks_clear();
Command buildpacks_search();
Command buildpacks_info();
Command git_remote();
Command git_credentials();
Command login();
Command logout();
Command auth_whoami();
Command auth_token();
Command pipelines();
Command pipelines_create();
Command pipelines_info();
Command pipelines_add();
Command pipelines_update();
Command pipelines_remove();
Command pipelines_promote();
Command pipelines_diff();
Command pipelines_open();
Command pipelines_rename();
Command pipelines_transfer();
Command pipelines_destroy();
Command local();
Command local_run();
Command local_check();
Command local_ps();
Command local_restart();
Command local_export();
Command env();
Command version();
Command server();
Command server_stop();
Command backup();
Command restore();

}  // namespace renga::cli
