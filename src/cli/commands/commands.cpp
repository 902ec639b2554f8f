#include "cli/commands/commands.h"

namespace renga::cli {

std::span<const Command> all_commands() {
  static const Command all[] = {
      apps(),
      apps_create(),
      apps_info(),
      apps_open(),
      apps_rename(),
      apps_destroy(),
      config(),
      config_get(),
      config_set(),
      config_unset(),
      ps(),
      ps_scale(),
      ps_restart(),
      ps_stop(),
      run(),
      run_detached(),
      logs(),
      releases(),
      releases_info(),
      releases_output(),
      releases_rollback(),
      domains(),
      domains_add(),
      domains_remove(),
      maintenance_on(),
      maintenance_off(),
      buildpacks(),
      buildpacks_set(),
      buildpacks_clear(),
      git_remote(),
      git_credentials(),
      local(),
      local_run(),
      local_check(),
      local_ps(),
      local_restart(),
      local_export(),
      login(),
      logout(),
      auth_whoami(),
      auth_token(),
      env(),
      version(),
      server(),
      server_stop(),
  };
  return all;
}

}  // namespace renga::cli
