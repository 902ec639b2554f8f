// Boot: what a dyno is started with: its record, its command line, its environment.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "dynos/engine.h"
#include "dynos/engines/local/records.h"

namespace renga::dynos {

// A starting dyno's, with a port and a log secret of its own.
Record new_record(const Id<Dyno>& id, const AppSpec& spec, const std::string& type, int number,
                  const std::string& command, const std::string& size, Time now);

// bash, that sources the app's profile scripts and then becomes the command.
std::vector<std::string> boot_argv(const std::string& command);

// Later ones win: PATH; the spec's; the one-off's; what is fixed (DYNO, HOME, PWD, PORT,
// HEROKU_DYNO_ID). PORT is for web dynos alone.
std::map<std::string, std::string> boot_environment(
    const Record& record, std::int64_t memory_bytes, const std::map<std::string, std::string>& spec,
    const std::map<std::string, std::string>& one_off);

// The command for the log. $PORT is written out; no other variable is, since config vars are
// secrets.
std::string shown_command(const Record& record);

}  // namespace renga::dynos
