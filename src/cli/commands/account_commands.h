// The commands about people: who they are, what they sign in with, and what they may use.
#pragma once

#include "cli/command.h"

namespace renga::cli {

Command access();
Command access_add();
Command access_update();
Command access_remove();
Command features();
Command features_info();
Command features_enable();
Command features_disable();
Command labs();
Command labs_info();
Command labs_enable();
Command labs_disable();
Command auth_password();
Command auth_2fa();
Command auth_2fa_enable();
Command auth_2fa_disable();
Command authorizations();
Command authorizations_create();
Command authorizations_info();
Command authorizations_update();
Command authorizations_rotate();
Command authorizations_revoke();
Command keys();
Command keys_add();
Command keys_remove();
Command keys_clear();
Command accounts();
Command accounts_add();
Command accounts_activate();
Command accounts_update();
Command accounts_reset_password();
Command accounts_remove();

}  // namespace renga::cli
