// Where the CLI's server is and who asks: --url, else RENGA_URL with RENGA_TOKEN and RENGA_CA, else
// the data directory that RENGA_DATA names, else the login that was saved last, else the default
// data directory of this machine.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace renga::client {

// What the CLI reads of its surroundings; handed in so that tests have their own.
struct Surroundings {
  std::map<std::string, std::string> environment;
  std::filesystem::path directory;       // the working directory
  std::filesystem::path data_directory;  // the default, or the one that was named
  // RENGA_DATA or --data named it: then it comes before a login.
  bool data_directory_named = false;
  // How a shell calls this program: "renga" where that finds it, else its whole path.
  std::string program = "renga";
};

Surroundings real_surroundings();

struct Settings {
  // "http://localhost:7373" or "https://paas.example.com:7373"; no slash at the end.
  std::string url;
  std::string token;
  std::filesystem::path ca;  // PEM file to trust; empty: the system's
  std::string host() const;  // "localhost:7373"
  std::string name() const;  // "localhost"
  bool is_loopback() const;  // localhost, 127.0.0.1 or [::1]
};

// A URL as Settings has it; a host without a scheme is meant over TLS.
std::string server_url(std::string_view text);

// `url`: what --url said, or empty. RENGA_TOKEN goes to another server than RENGA_URL's never.
// Kind::unauthorized: no token is known for it, and how to get one.
Result<Settings> find_settings(const Surroundings& surroundings, const std::string& url);

// Keeps a login (mode 0600) in $XDG_CONFIG_HOME/renga/logins.json; the newest is the default. A
// CA's text is kept beside it.
void save_login(const Surroundings& surroundings, const Settings& settings,
                const std::string& ca_text);
// True when there was one. Its CA's text goes too.
bool forget_login(const Surroundings& surroundings, const std::string& url);

}  // namespace renga::client
