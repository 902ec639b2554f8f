// Pieces of a build's output whose shape Heroku's has. Private to this room; pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "releases/release.h"

namespace renga::builds {

// "12.3K", "60.7M": of bytes.
std::string readable_size(std::int64_t bytes);
// "Deploy e6442b7c": of a commit, or of whatever a caller names its version.
std::string deploy_description(std::string_view version);
// What "Discovering process types" shows. `defaults`: types that only the buildpack has.
std::vector<std::string> process_type_lines(const releases::ProcessTypes& declared,
                                            const std::vector<std::string>& defaults,
                                            bool has_procfile);

}  // namespace renga::builds
