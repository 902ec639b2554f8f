// Names of add-ons and of their attachments, as Heroku makes them up. Pure, but for the random
// choice.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "addons/manifest.h"

namespace renga::addons {

// ^[a-zA-Z][A-Za-z0-9_-]+$, at most 100. Kind::invalid.
Result<void> check_addon_name(std::string_view name);

// "postgresql-curly-33328" for heroku-postgresql. Not sure to be free.
std::string made_up_addon_name(std::string_view service);

// In upper case with '_' for '-': "users-db" is USERS_DB. Kind::invalid: no name of a var.
Result<std::string> attachment_name(std::string_view given);

// In a random order: HEROKU_POSTGRESQL_AMBER, … for an attachment that was given no name.
std::vector<std::string> coloured_names(const Manifest& manifest);

// "CACHE_URL" for HEROKU_REDIS_URL on the attachment CACHE, with the prefix HEROKU_REDIS.
std::string var_on(std::string_view attachment, const Manifest& manifest, std::string_view var);

}  // namespace renga::addons
