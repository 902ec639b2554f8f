// Signing in: which server a login is for, passwords asked for, and the token that a password is
// exchanged for.
#pragma once

#include <string>

#include "cli/command.h"

namespace renga::cli {

// How the tokens that sign_in() makes are described.
inline constexpr std::string_view login_description = "renga login from ";

// What --url and --ca name; without a token. Kind::invalid: no server, or a file that is no
// certificate. Warns of a server elsewhere without TLS.
Result<client::Settings> named_server(Context& context);

// Asked for twice.
Result<std::string> new_password(Context& context);

// Makes a token with the password, asking for the code of a second factor where the server wants
// one, and saves the login. Exit status.
Result<int> sign_in(Context& context, client::Settings settings, const std::string& email,
                    const std::string& password);

// Saves a login whose token is known, once the server has taken the token.
Result<int> save_login(Context& context, const client::Settings& settings);

}  // namespace renga::cli
