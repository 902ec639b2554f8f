// Maps of texts as JSON objects, for columns.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace renga::store {

std::string to_json(const std::map<std::string, std::string>& map);
// Throws for anything but an object of texts: only our own rows are read.
std::map<std::string, std::string> from_json(std::string_view text);

}  // namespace renga::store
