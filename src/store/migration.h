// One step of a room's tables, run once and in order. Written as SQL in the room's migrations/ and
// embedded by the build; a landed migration is never edited.
#pragma once

#include <string_view>

namespace renga::store {

struct Migration {
  std::string_view name;  // "room/20260101_what": the order within a room is that of the names
  std::string_view sql;   // one or more statements
};

}  // namespace renga::store
