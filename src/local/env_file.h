// .env files as `heroku local` reads them: a JSON object, or lines of KEY=VALUE.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace renga::local {

using Environment = std::map<std::string, std::string>;

// An object is flattened: {"db": {"urls": ["a"]}} is DB_URLS_0=a. Else lines: blank ones, those
// that start with '#' and those without '=' are skipped; a value in quotes ends at the next quote
// of the same kind, with no escapes in it; behind a bare value " # ..." is a comment. `export `
// before a name is dropped. Nothing is expanded. Never refuses: what makes no sense is not there.
Environment parse_env(std::string_view text);

// `names`: files separated by commas, later ones over earlier ones. Empty: ".env", if it is there.
// Kind::not_found: a file that was named is not there.
Result<Environment> read_env_files(const std::filesystem::path& directory, std::string_view names);

}  // namespace renga::local
