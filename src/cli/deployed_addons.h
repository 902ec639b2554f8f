// The add-ons of app.json, for `renga local --as-deployed`: those that the app does not have yet.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "cli/terminal.h"
#include "client/platform.h"

namespace renga::cli {

// Makes what is missing and returns once all of them are there, so that the build and what it is
// for find their config vars. `pause` waits a moment; false: it was interrupted. Kind::invalid:
// app.json cannot be read, or one of them cannot be had.
Result<void> make_addons(client::Platform& platform, Terminal& terminal, const std::string& app,
                         std::string_view app_json, const std::function<bool()>& pause);

}  // namespace renga::cli
