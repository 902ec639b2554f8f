// Databases, stores and clusters as people name them to pg:*, redis:* and kafka:*: by attachment,
// config var or add-on.
#pragma once

#include <string>

#include "cli/command.h"

namespace renga::cli {

struct DataStore {
  std::string addon;       // its id
  std::string addon_name;  // "postgresql-curly-33328"
  std::string attachment;  // "DATABASE"
  std::string app;
};

enum class DataService { postgresql, redis, kafka };
// What an app's first one is attached as: "DATABASE".
std::string_view role_of(DataService service);

// The one that `name` says ("DATABASE_URL", "DATABASE", "postgresql-curly-33328"); for an empty
// name DATABASE, REDIS or KAFKA. Kind::not_found says which there are.
Result<DataStore> find_data_store(Context& context, DataService service, const std::string& name);
// Its URL on the app, from the config var.
Result<std::string> url_of(Context& context, const DataStore& store);

// A URL's parts, with the password decoded.
struct DataUrl {
  std::string user, password, host, port, path;
};
Result<DataUrl> parse_data_url(const std::string& url);

// Becomes the program, with these variables besides ours; returns only when it cannot.
Result<int> become_program(const std::vector<std::string>& argv,
                           const std::map<std::string, std::string>& variables,
                           const std::string& package);

}  // namespace renga::cli
