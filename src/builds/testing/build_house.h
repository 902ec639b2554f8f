// BuildHouse: everything that a build needs, with real sandboxes, in a temporary directory. Its
// buildpacks are the driver of the source tree and a made-up one, `script`, which runs the app's
// own compile.sh. For tests of builds and of the rooms above.
#pragma once

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "accounts/migrations.h"
#include "apps/migrations.h"
#include "base/random.h"
#include "base/testing/fake_clock.h"
#include "builds/builds.h"
#include "builds/migrations.h"
#include "os/process.h"
#include "releases/migrations.h"

namespace renga::builds {

namespace fs = std::filesystem;

class BuildHouse : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    if (const auto why = sandbox::Spawner::unsupported()) GTEST_SKIP() << *why;
    server_name = "test" + random_hex(4);
    directory = fs::temp_directory_path() / ("renga-builds-" + random_hex(6));
    fs::create_directories(directory);
    write_buildpacks();
    database.migrate(accounts::migrations());
    database.migrate(apps::migrations());
    database.migrate(releases::migrations());
    database.migrate(migrations());
    ada = people.create("ada@example.com", "Ada", false).value();
    sushi = new_app("sushi");

    const auto self = fs::read_symlink("/proc/self/exe");
    spawner.emplace(sandbox::SpawnerOptions{self, self.parent_path() / "renga-init",
                                            directory / "run", server_name});
    slugs.emplace(database, clock, directory / "slugs", slug_limits);
    releases.emplace(database, clock, apps, *slugs, box);
    outputs.emplace(directory / "outputs");
    logs.emplace(logs::LogStoreOptions{.directory = directory / "logs"});
    options = {.directory = directory / "builds",
               .buildpacks_directory = directory / "buildpacks",
               .environment = {},
               .web_url_format = "http://{host}:8080/"};
    releases->append_first(sushi.id, ada.id);
    open();
  }

  void TearDown() override {
    if (!spawner) return;
    builds.reset();
    for (const auto& id : spawner->ids()) spawner->remove(id);
    spawner->leave_host();
    spawner.reset();
    logs.reset();
    outputs.reset();
    std::error_code busy;  // the spawner's remover may be at work on the same files
    for (int i = 0; i < 100 && fs::exists(directory); ++i) {
      fs::remove_all(directory, busy);
      if (fs::exists(directory)) usleep(20'000);
    }
  }

  // Control, started; close() is its end in the middle of whatever goes on.
  void open() {
    builds.emplace(database, clock, apps, domains, installations, *slugs, *releases, *outputs,
                   *logs, *spawner, options);
  }
  void close() { builds.reset(); }

  apps::App new_app(const std::string& name) { return apps.create(ada, {name, "host"}).value(); }

  // A tar archive of these files.
  using Files = std::map<std::string, std::string>;
  fs::path archive(const Files& files) {
    const auto source = directory / ("source-" + random_hex(4));
    fs::create_directories(source);
    for (const auto& [name, text] : files) {
      fs::create_directories((source / name).parent_path());
      std::ofstream(source / name) << text;
    }
    return archive_of(source);
  }
  fs::path archive_of(const fs::path& source) {
    const auto packed = source.string() + ".tar";
    os::run({.argv = {"tar", "-cf", packed, "-C", source.string(), "."}});
    return packed;
  }

  Build start(const Files& files) {
    NewBuild wanted;
    wanted.source_archive = archive(files);
    wanted.version = "e6442b7ce6442b7ce6442b7ce6442b7ce6442b7c";
    auto build = builds->start(sushi, ada, wanted);
    if (!build) throw std::runtime_error(build.error().message);
    return *build;
  }
  Build run(const Files& files) { return builds->wait(start(files).id); }

  std::string output(const Build& build) {
    std::string all;
    outputs->follow(build.output_stream, 0, [&](std::string_view bytes) {
      all += bytes;
      return true;
    });
    return all;
  }
  // Until the output says this, for at most 30 s.
  bool says(const Build& build, std::string_view text) {
    for (int i = 0; i < 1'500; ++i) {
      std::ifstream file(directory / "outputs" / (build.output_stream + ".open"));
      const std::string all{std::istreambuf_iterator<char>(file), {}};
      if (all.find(text) != all.npos) return true;
      usleep(20'000);
    }
    return false;
  }
  std::vector<std::string> log_of(const apps::App& app) {
    logs->settle();
    std::vector<std::string> lines;
    for (const auto& each : logs->last(app.id, {}, 100))
      lines.push_back(each.line.source + "[" + each.line.process + "]: " + each.line.message);
    return lines;
  }

  fs::path directory;
  std::string server_name;
  releases::TreeLimits slug_limits;
  store::Database database{":memory:"};
  FakeClock clock;
  accounts::Accounts people{database, clock};
  apps::Apps apps{database, clock, {"host"}};
  apps::Domains domains{database, clock, "localhost"};
  apps::BuildpackInstallations installations{database};
  crypto::SecretBox box;
  std::optional<releases::Slugs> slugs;
  std::optional<releases::Releases> releases;
  std::optional<logs::OutputStreams> outputs;
  std::optional<logs::LogStore> logs;
  std::optional<sandbox::Spawner> spawner;
  BuildsOptions options;
  std::optional<Builds> builds;
  accounts::Account ada;
  apps::App sushi;

 private:
  void write_buildpacks() {
    auto root = fs::read_symlink("/proc/self/exe").parent_path();
    while (!fs::exists(root / "buildpacks/driver") && root != root.root_path())
      root = root.parent_path();
    const auto to = directory / "buildpacks";
    fs::create_directories(to);
    fs::copy(root / "buildpacks/driver", to / "driver");
    fs::copy(root / "buildpacks/lib", to / "lib", fs::copy_options::recursive);
    fs::copy(root / "buildpacks/procfile", to / "procfile", fs::copy_options::recursive);
    std::ofstream(to / "order.txt") << "script\nprocfile\n";
    fs::create_directories(to / "script/bin");
    for (const auto& [name, text] : Files{{"detect", "[[ -f $1/compile.sh ]] && echo Script"},
                                          {"compile", "cd \"$1\" && source ./compile.sh"},
                                          {"release",
                                           "[[ -f $1/release.sh ]] && source $1/release.sh; echo "
                                           "'default_process_types: {console: bash}'"}}) {
      std::ofstream(to / "script/bin" / name) << "#!/bin/bash\n" << text << "\n";
      fs::permissions(to / "script/bin" / name, fs::perms(0755));
    }
  }
};

}  // namespace renga::builds
