// Where the CLI's server is and who asks: from --url and RENGA_URL, RENGA_TOKEN and RENGA_CA, else
// the login that was saved, else a server's data directory on this machine.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"

namespace renga::client {

// What the CLI reads of its surroundings; handed in so that tests have their own.
struct Surroundings {
  std::map<std::string, std::string> environment;
  std::filesystem::path directory;       // the working directory
  std::filesystem::path data_directory;  // the local default, or --data
};

Surroundings real_surroundings();

struct Settings {
  std::string
      url;  // "http://localhost:7373" or "https://paas.example.com:7373"; no slash at the end
  std::string token;
  std::filesystem::path ca;  // PEM file to trust; empty: the system's
  std::string host() const;  // "localhost:7373"
};

// `url`: what --url said, or empty. Kind::unauthorized: no token is known for it, and how to get
// one.
Result<Settings> find_settings(const Surroundings& surroundings, const std::string& url);

// Keeps a login (mode 0600) in $XDG_CONFIG_HOME/renga/logins.json; the newest is the default. A
// CA's text is kept beside it.
void save_login(const Surroundings& surroundings, const Settings& settings,
                const std::string& ca_text);
// True when there was one.
bool forget_login(const Surroundings& surroundings, const std::string& url);

}  // namespace renga::client
