// What the commands about features have in common: an app's switches, and the account's.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "cli/command.h"

namespace renga::cli {

// "[+] name  description", one a line, those of the state that is asked for.
void show_features(Terminal& terminal, const boost::json::value& features, bool general);
Result<int> show_feature(Context& context, const std::string& path);
Result<int> switch_feature(Context& context, const std::string& path, bool on,
                           const std::string& whose);

}  // namespace renga::cli
