// Buildpacks: those that the platform comes with, and what a buildpack says through bin/release.
// Private to this room. Reads the disk; no state that changes, so safe from any thread.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "releases/release.h"

namespace renga::builds {

struct Buildpack {
  std::string name;       // "heroku/python"
  std::string directory;  // "python", below Buildpacks::directory()
};

class Buildpacks {
 public:
  explicit Buildpacks(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // In the order of detection: the names of order.txt. Throws when it cannot be read.
  std::vector<Buildpack> offered() const;
  // "heroku/python", "urn:buildpack:heroku/python" or "python". Kind::invalid, with the list of
  // those that are offered; Kind::unsupported for URLs.
  Result<Buildpack> find(std::string_view name) const;
  const std::filesystem::path& directory() const { return directory_; }

 private:
  std::filesystem::path directory_;
};

// `default_process_types` of the YAML that a bin/release printed. Kind::invalid when it is not
// that.
Result<releases::ProcessTypes> default_process_types(std::string_view yaml);

}  // namespace renga::builds
