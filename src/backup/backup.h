// Backups of a data directory. Both calls block on the disk and on git, belong to no server, and
// may run beside one. Throw when the disk fails.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"

namespace renga::backup {

struct Summary {
  int slug_files = 0;
  int repositories = 0;
  std::int64_t bytes = 0;  // of the archive's files
};

// Writes `file` (mode 0600: it has the keys in it), synced, or leaves nothing. Kind::not_found: no
// data directory; Kind::invalid: `file` is there already; Kind::conflict: another backup runs;
// Kind::unavailable: git could not pack a repository.
Result<Summary> back_up(const std::filesystem::path& data, const std::filesystem::path& file);

// Makes the data directory, which must not be there or be empty, from a backup; or leaves it as it
// was. Kind::invalid: not a backup, cut short, or changed; the message names the entry.
Result<Summary> restore(const std::filesystem::path& file, const std::filesystem::path& data);

}  // namespace renga::backup
