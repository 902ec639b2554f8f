// A directory with a Procfile and env files: what every `local` command starts from.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "local/env_file.h"
#include "local/procfile.h"

namespace renga::local {

// As given on the command line; empty: not given.
struct Choices {
  std::string procfile;   // "Procfile"
  std::string env_files;  // see read_env_files()
  std::string port;
  std::string start_command;  // is "web" where there is no Procfile
};

struct Project {
  Procfile procfile;
  Environment env_file;
  Environment environment;  // the inherited one with the env files over it
  int port = 0;
};

// Kind::not_found: no Procfile, or an env file that was named and is not there. Kind::invalid: what
// is in them makes no sense.
Result<Project> read_project(const std::filesystem::path& directory, const Choices& choices,
                             const Environment& inherited);

// Runs `words` in place of this process, with the env files' environment: one word that names a
// process type is its command, another single word is a shell's, and several are a program and its
// arguments. Comes back only with a refusal.
Error become(const std::vector<std::string>& words, const std::filesystem::path& directory,
             const Procfile* procfile, const Environment& environment);

}  // namespace renga::local
