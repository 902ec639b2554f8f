// Units of systemd for a formation, as `foreman export systemd` writes them: a target for the app
// and a service for each process.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "local/env_file.h"
#include "local/procfile.h"

namespace renga::local {

struct Service {
  std::string app;  // names the units: "hello.target", "hello-web.1.service"
  std::string user;
  std::filesystem::path directory;  // where the processes run
  Environment environment;          // the env file's: written into the units, which are mode 0600
};

// Text by file name.
std::map<std::string, std::string> systemd_units(const std::vector<Instance>& instances,
                                                 const Service& service);

}  // namespace renga::local
