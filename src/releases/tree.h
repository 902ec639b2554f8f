// Trees of files that a build or an archive left. Private to this room. Nobody else may change a
// tree meanwhile; no symbolic link is followed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace renga::releases {

// Sorted by bytes.
std::vector<std::string> names_in(int directory);
std::string read_link(int directory, const std::string& name);
void sync_directory(const std::filesystem::path& directory);

// Makes a tree fit to be a slug: owned by `owner` (-1: left), without setuid, setgid and sticky
// bits, readable by its owner, without sockets, fifos and devices. Where an overlay has marked a
// name as gone, the mark stays. Kind::invalid for a tree that is too deep.
Result<void> tidy(const std::filesystem::path& directory, int owner);

}  // namespace renga::releases
