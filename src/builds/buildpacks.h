// Buildpacks: what a name, an address or a path stands for, and what a buildpack says through
// bin/release. Nothing is fetched here: the driver does that, inside the build's sandbox, which
// reaches neither the host nor its network. Private to this room. Reads the disk; no state that
// changes, so safe from any thread.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "builds/build.h"
#include "releases/release.h"

namespace renga::builds {

struct Buildpack {
  enum class From {
    here,     // the platform's: `address` is its directory below Buildpacks::directory()
    git,      // `address` is the repository's URL
    archive,  // `address` is the URL of a tar archive
    local     // `address` is a directory of the host: a buildpack, or a git repository of one
  };
  std::string name;  // as it is pinned and answered: "heroku/python", or the address as given
  From from = From::here;
  std::string address;
  std::string ref;  // branch, tag or commit of a repository; empty: its default branch
  bool operator==(const Buildpack&) const = default;

  std::string shown() const;  // the name without a password
};

// The buildpacks that an app lists in `.buildpacks`, one a line; '#' starts a comment.
inline constexpr std::size_t most_buildpacks = 20;
std::vector<std::string> dot_buildpacks(std::string_view text);

class Buildpacks {
 public:
  // `local`: directories of the operator's, whose content may be named by its path.
  Buildpacks(std::filesystem::path directory, std::vector<std::filesystem::path> local);

  // In the order of detection: the names of order.txt. Throws when it cannot be read.
  std::vector<Buildpack> offered() const;
  // These, and other people's buildpacks that registry.txt gives a name.
  std::vector<KnownBuildpack> known() const;

  // "python", "heroku/python" or "urn:buildpack:heroku/python"; a name of known(); the http, https
  // or git URL of a repository ("#ref" behind it), or of a .tgz file; "user/repository" of GitHub;
  // a path, or file:// URL, inside a local directory. Kind::invalid, with what is offered;
  // Kind::forbidden for a path that the operator does not offer.
  Result<Buildpack> find(std::string_view name) const;
  const std::filesystem::path& directory() const { return directory_; }

 private:
  Result<Buildpack> at_url(std::string_view url, std::string_view name) const;
  Result<Buildpack> at_path(std::string_view path, std::string_view name) const;
  std::unexpected<Error> unknown(std::string_view name) const;

  std::filesystem::path directory_;
  std::vector<std::filesystem::path> local_;  // canonical
};

// `default_process_types` of the YAML that a bin/release printed. Kind::invalid when it is not
// that.
Result<releases::ProcessTypes> default_process_types(std::string_view yaml);

}  // namespace renga::builds
