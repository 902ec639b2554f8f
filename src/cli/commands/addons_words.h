// What the commands about add-ons share: how one is named, priced and asked for.
#pragma once

#include "cli/command.h"

namespace renga::cli {

inline constexpr Flag confirm_flag{"confirm", 'c', "APP", "the app's name: do not ask"};
inline constexpr Flag wait_flag{"wait", 'w', "", "wait until it is done"};

// The add-on that a person means by a word: on the app, where there is one, else anywhere.
Result<boost::json::value> resolve_addon(Context& context, const std::string& word);

// "free", "$9.00/month".
std::string price_of(const boost::json::value& price);

// Asks for it every second until it is no longer `provisioning` (or `deprovisioning`), for at most
// an hour. Kind::unavailable: it failed, or took longer.
Result<boost::json::value> wait_for_addon(Context& context, const boost::json::value& addon);

// The JSON of a manifest file; from the directory that the command runs in.
Result<boost::json::value> read_manifest(const Context& context, const std::string& path);

// Runs `call` without a confirmation, and again with it where the server wants one: from the flag,
// or asked for at the terminal.
Result<boost::json::value> confirmed(
    Context& context, const std::string& app,
    const std::function<Result<boost::json::value>(const std::string& confirm)>& call);

}  // namespace renga::cli
