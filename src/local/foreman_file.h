// .foreman: foreman's file of defaults for its flags, in the directory of the Procfile.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace renga::local {

// Lines of "name: value"; what is in quotes is taken out of them, and everything else (comments,
// lists, what is not understood) is left out. Names are those of flags: "formation", "port".
std::map<std::string, std::string> parse_foreman_file(std::string_view text);
// Empty where there is none.
std::map<std::string, std::string> read_foreman_file(const std::filesystem::path& directory);

}  // namespace renga::local
