// AppJson: what an app says of itself in app.json, read strictly. A value. The format is Heroku's
// (its app.json schema).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace renga::setups {

struct EnvWish {
  std::string description;
  std::optional<std::string> value;
  bool required = true;
  bool generated = false;  // "generator": "secret"
};

struct FormationWish {
  std::string type;
  std::optional<int> quantity;
  std::string size;  // empty: the default
};

struct AddonWish {
  std::string plan;  // "heroku-postgresql" or "heroku-postgresql:mini"
  std::string as;
  std::map<std::string, std::string> options;
};

struct Script {
  std::string command;
  std::string size;
};

struct AppJson {
  std::string name;
  std::string description;
  std::string success_url;  // "https://…", or "/welcome" on the new app
  std::string stack;
  std::map<std::string, EnvWish> env;
  std::vector<FormationWish> formation;
  std::vector<AddonWish> addons;
  std::vector<std::string> buildpacks;
  std::map<std::string, Script> scripts;  // postdeploy, pr-predestroy, test, test-setup
};

struct ReadAppJson {
  AppJson app;
  std::vector<std::string> errors;  // sentences; none: `app` is what the file says
};

// `environment`: "" or one of `environments` ("test", "review"), whose keys replace the file's
// wholesale. At most 64 KiB and 20 levels deep are read.
ReadAppJson read_app_json(std::string_view text, std::string_view environment = {});

// The config that the app starts with: `overrides` over values, secrets made up. Errors name what
// is required and not given, and overrides that no environment can hold.
struct FirstConfig {
  std::map<std::string, std::string> vars;
  std::vector<std::string> errors;
};
FirstConfig first_config(const AppJson& app, const std::map<std::string, std::string>& overrides);

}  // namespace renga::setups
