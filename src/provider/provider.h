// Provider: what a built-in add-on provider implements; and provider_main(), the program around it:
// `renga provider NAME --data DIR`, which serves the Add-on Partner API v3 on a loopback port and
// speaks with control as docs/addons.md says (one line of JSON in, the manifest out, and the end of
// standard input is the order to end).
//
// Calls come from several threads at once. Each may come twice, and must then do nothing more.
#pragma once

#include <boost/json/value.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/secret_box.h"
#include "http/message.h"
#include "sandbox/spawner.h"
#include "store/database.h"

namespace renga::provider {

namespace json = boost::json;

class Platform;

// An add-on as the platform asks for it.
struct Resource {
  std::string uuid;
  std::string name;  // "postgresql-curly-33328"
  std::string plan;  // without the service's name
  json::object options;
  bool undelete = false;  // only if what was destroyed is still there
};

struct Provisioned {
  std::string id;
  std::map<std::string, std::string> config;  // by the manifest's names
  std::string message;
  // It is being made: its config, and that it is there, are told by Platform::provisioned().
  bool later = false;
};

// A call of the data API: below one of the manifest's data_paths.
struct DataCall {
  std::string method;
  std::vector<std::string> path;  // decoded parts: "client", "v11", "databases", uuid, …
  std::map<std::string, std::string> query;
  json::object body;
  std::string addon;  // its uuid, where the call is about one
  std::string app;    // the id of the app it was made for
  std::string base;   // the platform as the caller reached it: "https://localhost:7373", or empty
};

class Provider {
 public:
  virtual ~Provider() = default;
  // Takes up what an earlier process left unfinished, and begins to look after servers.
  virtual void start() = 0;

  // Kind::invalid is for the user to read; Kind::unavailable: ask again.
  virtual Result<Provisioned> provision(const Resource& resource) = 0;
  virtual Result<Provisioned> change_plan(const std::string& uuid, const std::string& plan) = 0;
  // Kind::not_found: gone already.
  virtual Result<void> deprovision(const std::string& uuid) = 0;

  virtual Result<json::value> data(const DataCall& call) = 0;
  // A file to be downloaded by whoever knows this, or nothing.
  virtual std::optional<http::Response> download(const std::string&) { return std::nullopt; }
  // Rows for the page that `addons:open` shows.
  virtual Result<std::vector<std::pair<std::string, std::string>>> dashboard(
      const std::string& uuid) = 0;
};

// Everything that a provider is given. Lives as long as the program.
struct Surroundings {
  std::filesystem::path data;  // its own directory
  Clock& clock;
  store::Database& database;
  const crypto::SecretBox& box;
  sandbox::Spawner& spawner;
  Platform& platform;
};

struct Program {
  std::string_view name;      // "postgresql"
  std::string_view manifest;  // JSON without what differs from start to start
  // Why it cannot serve on this machine: programs that are missing, and how to install them.
  std::optional<std::string> (*unsupported)();
  std::span<const store::Migration> migrations;
  std::unique_ptr<Provider> (*make)(const Surroundings& surroundings);
};

// The exit status. `init_program` is renga-init's bytes, for the sandboxes.
int provider_main(int argc, char** argv, std::string_view init_program, const Program& program);

// Ends the servers that a provider left running in this directory, once the provider itself is gone
// (at most 40 s). Its next start has them running again. How many there were.
std::size_t stop_servers(const std::filesystem::path& data);

}  // namespace renga::provider
