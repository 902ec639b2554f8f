// Repositories as single files: git's own bundles, consistent while pushes go on. Private to this
// room. Both block on git, at most ten minutes each.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace renga::backup {

// False for a repository without any commit, which has no bundle.
Result<bool> write_bundle(const std::filesystem::path& repository,
                          const std::filesystem::path& bundle);
// Makes the bare repository `repository` of it, all refs as they were.
Result<void> read_bundle(const std::filesystem::path& bundle,
                         const std::filesystem::path& repository);

}  // namespace renga::backup
