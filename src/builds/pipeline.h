// Pipeline: the steps from a kept source to a release, for one build at a time on the thread that
// calls it. Private to this room.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "builds/build_directory.h"
#include "builds/build_records.h"
#include "builds/build_sandbox.h"
#include "builds/buildpacks.h"
#include "builds/builds.h"
#include "builds/procfile.h"
#include "os/fd.h"

namespace renga::builds {

enum class Stop { none, cancelled, interrupted };

// A build that waits or runs. Owned by Builds' queue and by the thread that runs it.
struct Job {
  Build build;
  std::vector<std::string> wanted;  // buildpacks given for it
  bool unpacked = false;            // an archive, by start(), so that a bad one is refused there

  // Set by anybody, once; `stopped` becomes readable with it.
  std::atomic<Stop> stop = Stop::none;
  os::Fd stopped;
  void call_off(Stop why);
};

KeptSource kept_source(const BuildsOptions& options, const Id<apps::App>& app);

// What the steps work with; each outlives the pipeline.
struct Tools {
  store::Database& database;
  Clock& clock;
  apps::Apps& apps;
  apps::Domains& domains;
  apps::BuildpackInstallations& installations;
  releases::Slugs& slugs;
  releases::Releases& releases;
  logs::OutputStreams& outputs;
  logs::LogStore& logs;
  sandbox::Spawner& spawner;
  const BuildsOptions& options;
  const Buildpacks& buildpacks;
  BuildRecords& records;
};

class Pipeline {
 public:
  Pipeline(const Tools& tools, Job& job);

  // The build's row, output and log say how it ended, unless it was interrupted: then the row stays
  // pending, for the next start. Throws when the machine fails; then fail_for() is to be called.
  void run();
  void fail_for(const std::exception& fault);

 private:
  struct Chosen {  // what ran, from the driver's notes
    std::vector<std::string> buildpacks;
    std::vector<std::string> names;
    bool detected = false;
  };

  Result<void> carry_out();
  Result<void> prepare_source();
  Result<void> check_out();
  Result<std::optional<std::string>> read_app(const std::string& name, std::size_t limit);
  Result<std::optional<std::string>> read_result(const std::string& name);
  Result<Chosen> run_buildpacks();
  Result<std::vector<Buildpack>> buildpacks_to_try(bool& detect);
  sandbox::Spec spec(const std::string& stack, const std::vector<Buildpack>& buildpacks,
                     bool detect);
  Result<Chosen> chosen(const SandboxRun& run, const std::vector<Buildpack>& tried, bool detect);
  Result<releases::ProcessTypes> discover_process_types();
  Result<std::optional<Procfile>> read_procfile();
  Result<releases::Slug> compress(const Chosen& chosen, const releases::ProcessTypes& types);
  void launch(const Chosen& chosen, const releases::Slug& slug);
  void save_cache();
  void end_as_failed(const std::string& why);

  void say(std::string_view line);  // with a line end
  std::unexpected<Error> stopped();
  // Says it as " !     …" and makes the refusal that ends the build.
  std::unexpected<Error> refuse(const std::vector<std::string>& lines, Kind kind = Kind::invalid);
  template <class T>
  Result<T> said(Result<T> result);
  void log(std::string message);

  const Tools& tools_;
  Job& job_;
  BuildDirectory files_;
  apps::App app_;
  std::string email_;  // of the account that builds
};

}  // namespace renga::builds
