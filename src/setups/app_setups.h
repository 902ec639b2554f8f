// App setups: from a source with an app.json to an app that runs. create() refuses what can be
// refused and makes the app; a thread of the setups' own does the rest, and goes on with it after a
// crash. Every call is safe from any thread.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/buildpack_installations.h"
#include "builds/builds.h"
#include "dynos/engine.h"
#include "dynos/formation.h"
#include "dynos/reconciler.h"
#include "setups/app_json.h"
#include "setups/setup_addons.h"

namespace renga::setups {

enum class SetupStatus { pending, succeeded, failed };

struct Postdeploy {
  int exit_code = 0;
  std::string output;  // the last 64 KiB
};

struct AppSetup {
  Id<AppSetup> id;
  Id<apps::App> app;
  Id<accounts::Account> user;
  SetupStatus status = SetupStatus::pending;
  std::string failure_message;             // of a failed one
  std::optional<Id<builds::Build>> build;  // once it was started
  std::optional<Postdeploy> postdeploy;    // once it ended
  std::string success_url;                 // as app.json has it
  Time created_at;
  Time updated_at;
};

struct NewAppSetup {
  apps::NewApp app;
  std::filesystem::path source_archive;  // linked or copied: may be removed after create()
  std::string source_url, source_version, source_checksum;
  std::map<std::string, std::string> env;  // overrides
  std::vector<std::string> buildpacks;     // overrides; empty: app.json's
  std::string token;                       // of the call that asks for it; empty: of none
};

// Borrowed: all of it outlives the AppSetups.
struct AppSetupsParts {
  store::Database& database;
  Clock& clock;
  apps::Apps& apps;
  apps::BuildpackInstallations& buildpack_installations;
  releases::Releases& releases;
  builds::Builds& builds;
  dynos::Formation& formation;
  dynos::Engine& engine;
  dynos::Reconciler& reconciler;
  logs::OutputStreams& outputs;
  const crypto::SecretBox& box;
  addons::Catalog& catalog;
  addons::Addons& addons;
  std::filesystem::path directory;  // DIR/setups: sources whose build was not started yet
};

class AppSetups {
 public:
  static constexpr std::chrono::hours limit{2};

  explicit AppSetups(AppSetupsParts parts);
  // Joins; what is pending goes on at the next start.
  ~AppSetups();
  AppSetups(const AppSetups&) = delete;
  AppSetups& operator=(const AppSetups&) = delete;

  // Starts the thread; once, when everything else runs, providers of add-ons too.
  void start();
  // Kind::invalid: no app.json at the source's root, mistakes in it (all of them in the message),
  // required config without a value, a name that is taken, add-ons that this server does not have,
  // or the call of a postdeploy script that would set its own app up again.
  Result<AppSetup> create(const accounts::Account& user, const NewAppSetup& wanted);
  Result<AppSetup> find(const Id<AppSetup>& id);

 private:
  struct State;
  Result<apps::App> make_app(const accounts::Account& user, const apps::NewApp& wanted,
                             const std::vector<std::string>& buildpacks);
  std::unique_ptr<State> state_;
};

// The text of one file at the root of a tar archive (plain or compressed), or nothing. Throws
// nothing for an archive that cannot be read: there is no such file in it.
std::optional<std::string> file_in_archive(const std::filesystem::path& archive,
                                           std::string_view name, std::size_t most);

}  // namespace renga::setups
