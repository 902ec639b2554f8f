// What the `certs` commands share: which certificate is meant, and how one is shown.
#pragma once

#include <boost/json/value.hpp>
#include <string>

#include "cli/command.h"

namespace renga::cli {

inline constexpr Flag name_flag{"name", 0, "NAME", "which certificate, where the app has several"};

// The app's only certificate, or the one that --name says.
Result<boost::json::value> certificate_of(Context& context);
void show_certificate(Context& context, const boost::json::value& endpoint);
// {"certificate_chain", "private_key"} out of these files.
Result<boost::json::value> certificate_body(Context& context, const std::string& chain_file,
                                            const std::string& key_file);
// Asks for the app's name, unless --confirm gives it.
Result<void> confirm_with_app(Context& context, const std::string& what);

}  // namespace renga::cli
