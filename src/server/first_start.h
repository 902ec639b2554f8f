// What the first start of a server on a data directory makes: the admin account and its token. Done
// again in part when something is missing, so that a crash in the middle leaves nothing half made.
#pragma once

#include <filesystem>

#include "accounts/accounts.h"
#include "accounts/authorizations.h"

namespace renga::server {

// Writes DIR/admin.token (mode 0600) unless it is there.
accounts::Account ensure_admin(accounts::Accounts& accounts,
                               accounts::Authorizations& authorizations,
                               const std::filesystem::path& data_directory);

}  // namespace renga::server
