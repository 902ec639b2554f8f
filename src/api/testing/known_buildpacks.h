// The buildpacks that a server of the tests has: two of its own, and one known by name.
#pragma once

#include "releases/testing/tarball.h"

namespace renga::api {

inline void write_known_buildpacks(const std::filesystem::path& directory) {
  releases::write_file(directory / "order.txt", "python Python apps\nprocfile Others\n");
  releases::write_file(directory / "registry.txt",
                       "heroku-community/apt https://github.com/heroku/heroku-buildpack-apt "
                       "Debian packages\n");
}

}  // namespace renga::api
