// A directory as the source of a build: a tar.gz of what belongs to the app. In a git repository
// that is what git would take, committed or not: nothing that .gitignore names. Blocks; uses git
// and tar.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace renga::cli {

struct SourceArchive {
  std::string bytes;
  std::string checksum;     // "SHA256:..."
  std::string version;      // the commit that is checked out; empty outside git
  std::string description;  // its first line
};

// Kind::not_found: no such directory; Kind::too_large past 500 MB, compressed.
Result<SourceArchive> archive_source(const std::filesystem::path& directory);

// One that is there already. Kind::not_found, Kind::too_large.
Result<SourceArchive> read_source_archive(const std::filesystem::path& file);

}  // namespace renga::cli
