// An app's buildpacks as the commands change them: read, changed, written back whole.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"

namespace renga::cli {

Result<std::vector<std::string>> installed_buildpacks(Context& context);
// Writes them and says what the next build uses.
Result<int> install_buildpacks(Context& context, const std::vector<std::string>& buildpacks);
// --index N, from 1; nothing when it is not given. Kind::invalid past `most`.
Result<std::optional<std::size_t>> index_flag(Context& context, std::size_t most);

inline constexpr Flag buildpack_index_flag{"index", 'i', "N", "its place in the order, from 1"};

}  // namespace renga::cli
