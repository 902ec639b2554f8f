// Builds: turns sources into slugs and releases, one at a time per app and at most `parallel` at
// once. A build is a row and a directory DIR/builds/<id>/source before it starts, so that it
// survives a crash: resume() runs again, from their sources, those that were under way. The output
// goes to an output stream, in Heroku's shape. Safe from any thread.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apps/buildpack_installations.h"
#include "apps/domains.h"
#include "builds/build.h"
#include "logs/log_store.h"
#include "logs/output_streams.h"
#include "releases/releases.h"
#include "sandbox/spawner.h"

namespace renga::builds {

struct NewBuild {
  // The app's git repository, which keeps the commit `version` until the build has ended, or a tar
  // archive (plain, gzip or zstd) with the app at its root; exactly one. The archive is linked
  // where that can be: it may be removed after start(), but not changed in place.
  std::filesystem::path source_directory;
  std::filesystem::path source_archive;
  std::string source_url;
  std::string version;  // a commit
  std::string version_description;
  std::string checksum;                 // "SHA256:…" of the archive; checked when given
  std::vector<std::string> buildpacks;  // overrides the app's, for this build
  std::vector<Submodule> submodules;    // of a git source
};

struct BuildsOptions {
  std::filesystem::path directory;  // DIR/builds: one directory a build; and caches/<app id>
  std::filesystem::path
      buildpacks_directory;  // the built-in ones: <name>/bin/{detect,compile,release}
  // Where the operator keeps buildpacks that apps may name by their path.
  std::vector<std::filesystem::path> local_buildpacks = {};
  std::map<std::string, std::string>
      environment;  // the operator's package-index, proxy and CA settings
  std::chrono::seconds time_limit{15 * 60};
  int parallel = 2;
  std::string
      web_url_format;  // "http://{host}:8080/": how an app's address is written in the output
};

class Builds {
 public:
  Builds(store::Database& database, Clock& clock, apps::Apps& apps, apps::Domains& domains,
         apps::BuildpackInstallations& installations, releases::Slugs& slugs,
         releases::Releases& releases, logs::OutputStreams& outputs, logs::LogStore& logs,
         sandbox::Spawner& spawner, BuildsOptions options);
  // Stops running builds (they are resumed by the next start) and joins.
  ~Builds();
  Builds(const Builds&) = delete;
  Builds& operator=(const Builds&) = delete;

  // Called when a build was accepted and when it ended, on the thread that did it, which may hold a
  // transaction then. Set before the first use.
  void on_change(std::function<void(const Build&)> callback);

  // Carries on what a crash or a stop left behind. Once, before anything else.
  void resume();

  // Accepts a build; it runs on Builds' own threads. Kind::invalid: source missing, bad checksum,
  // bad tar, no such buildpack; Kind::too_large: more than 1 GB unpacked; Kind::unavailable: too
  // many builds wait.
  Result<Build> start(const apps::App& app, const accounts::Account& user, const NewBuild& wanted);
  // Waits for its end (succeeded or failed). Still pending in the answer: the platform stops, and
  // carries the build on when it is back.
  Build wait(const Id<Build>& id);
  Result<Build> find(const Id<apps::App>& app, std::string_view identity);
  std::vector<Build> all(const Id<apps::App>& app);
  // Kind::conflict: it has ended.
  Result<Build> cancel(const Id<apps::App>& app, std::string_view identity);
  // The output of the release command of a build that succeeded, as it comes (an empty piece asks
  // whether anybody still listens), until the command has
  // ended, `each` returns false, or the platform stops; then the release's status. Nothing where
  // the release has no such command.
  std::optional<releases::Status> follow_release(const Build& build,
                                                 const std::function<bool(std::string_view)>& each);
  void clear_cache(const Id<apps::App>& app);
  // The name that a buildpack is known and pinned by, of any form of it: "python" is
  // "heroku/python". Kind::invalid: no such buildpack, and which there are; Kind::forbidden: a path
  // that is not offered.
  Result<std::string> buildpack(std::string_view name) const;
  std::vector<KnownBuildpack> known_buildpacks() const;
  // Stops what runs for it and takes its files away; before the app's rows go.
  void forget(const Id<apps::App>& app);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::builds
