// What the commands that attach to dynos have in common: run, ps:exec, ps:copy, ps:forward.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "cli/command.h"
#include "client/attach.h"

namespace renga::cli {

// Arguments and what stands behind --, as one command line: one argument is one for the shell, as
// it is; several are words. Empty when there is none.
std::string command_line(const Context& context, std::size_t skip = 0);

// Whether the command should have a terminal: both ends are one, and --no-tty was not said.
bool at_terminal(const Context& context);

// Of what makes a one-off dyno.
inline constexpr Flag env_flag{"env", 'e', "NAME=VALUE",
                               "more environment; several with ; between them"};
inline constexpr Flag size_flag{"size", 's', "SIZE", "the dyno's size"};
inline constexpr Flag time_to_live_flag{"time-to-live", 0, "SECONDS",
                                        "it is stopped after so long, at most a day"};

// What --size and --time-to-live say, into the body of a call that makes a one-off dyno.
Result<void> add_limits(const Context& context, boost::json::object& wanted);

// What --env says: NAME=VALUE, or several with ; between them.
Result<boost::json::object> given_environment(const Context& context);

// TERM, the window's size, and over them what --env says.
Result<boost::json::object> attached_environment(const Context& context, bool terminal);

client::AttachOptions attach_options(const client::Platform& platform, bool terminal);

// The dyno of --dyno, else web.1, else the first that is up. Kind::not_found: none is.
Result<std::string> dyno_to_enter(Context& context);

}  // namespace renga::cli
