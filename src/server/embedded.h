// What the program carries inside itself, so that one file is a whole platform.
#pragma once

#include <filesystem>
#include <string_view>

namespace renga::server {

std::string_view embedded_init();        // the static renga-init
std::string_view embedded_spawner();     // renga-spawner
std::string_view embedded_buildpacks();  // a tar archive of buildpacks/
std::string_view embedded_stacks();      // and of stacks/

// Writes them into the data directory, where they are not there yet or are another version's:
// bin/renga-init, bin/renga-spawner, and buildpacks/<version>, whose path it returns.
std::filesystem::path unpack_embedded(const std::filesystem::path& data_directory);

}  // namespace renga::server
