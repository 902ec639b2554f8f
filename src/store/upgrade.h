// Brings a database to what this program knows, so that an upgrade of the program loses nothing:
// what was there before is kept as a copy, and a database that a newer program has changed is left
// alone.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "base/clock.h"
#include "store/database.h"

namespace renga::store {

using RoomMigrations = std::span<const Migration>;

// Runs what has not run yet of every room, in the given order. Before that, where there is anything
// to lose, the whole database goes to `copies`/before-<time>.db (mode 0600), of which the newest
// three stay. Throws std::runtime_error with a sentence for the operator when the database has had
// migrations that are in no room: a newer program's.
void upgrade(Database& database, Clock& clock, const std::vector<RoomMigrations>& rooms,
             const std::filesystem::path& copies);

}  // namespace renga::store
