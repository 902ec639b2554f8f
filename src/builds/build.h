// Build: a source on its way to a slug and a release. A value.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "releases/release.h"

namespace renga::builds {

enum class BuildStatus { pending, succeeded, failed };

struct Build {
  Id<Build> id;
  Id<apps::App> app;
  Id<accounts::Account> user;
  BuildStatus status = BuildStatus::pending;
  std::string stack;
  std::vector<std::string> buildpacks;  // chosen or detected, in order
  std::string source_url;               // as given; empty for a git push
  std::string source_version;           // a commit, or what the caller calls it
  std::string source_checksum;
  std::string version_description;
  std::string output_stream;  // see logs::OutputStreams
  std::optional<Id<releases::Slug>> slug;
  std::optional<Id<releases::Release>> release;
  std::string failure;  // why it failed, for people; empty otherwise
  Time created_at;
  Time updated_at;
  bool operator==(const Build&) const = default;
};

// A buildpack that may be chosen by its name.
struct KnownBuildpack {
  std::string name;     // "heroku/python"
  std::string address;  // the URL it is fetched from; empty for the platform's own
  std::string summary;
};

// A git submodule of a source: git hands over its commit alone, and the build fetches it.
struct Submodule {
  std::string path;
  std::string commit;
};

}  // namespace renga::builds
