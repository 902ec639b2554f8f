#include "store/upgrade.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>

#include "base/fault.h"
#include "base/report.h"

namespace renga::store {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t copies_kept = 3;

// Their names sort by time.
void forget_old(const fs::path& copies) {
  std::vector<fs::path> all;
  for (const auto& entry : fs::directory_iterator(copies)) all.push_back(entry.path());
  std::ranges::sort(all, std::greater());
  for (std::size_t i = copies_kept; i < all.size(); ++i) fs::remove(all[i]);
}

void keep_copy(Database& database, Clock& clock, const fs::path& copies) {
  if (::mkdir(copies.c_str(), 0700) != 0 && errno != EEXIST) fault("make " + copies.string());
  const auto copy = copies / ("before-" + rfc3339_micros(clock.now()) + ".db");
  const auto part = fs::path(copy.string() + ".part");
  database.backup_to(part.string());
  fs::permissions(part, fs::perms::owner_read | fs::perms::owner_write);
  fs::rename(part, copy);
  forget_old(copies);
  report("store", "a newer program changes the tables; what they were is in " + copy.string());
}

}  // namespace

void upgrade(Database& database, Clock& clock, const std::vector<RoomMigrations>& rooms,
             const fs::path& copies) {
  std::set<std::string, std::less<>> ran;
  for (auto& name :
       database.all("SELECT name FROM migrations", [](const Row& row) { return row.text(0); }))
    ran.insert(std::move(name));

  auto unknown = ran;
  bool pending = false;
  for (const auto& room : rooms) {
    for (const auto& migration : room) {
      unknown.erase(std::string(migration.name));
      pending |= !ran.contains(migration.name);
    }
  }
  if (!unknown.empty())
    throw std::runtime_error(
        "a newer renga has changed these tables (" + *unknown.begin() +
        "), and this one would not understand them. Start the newer one, or put back a copy from " +
        copies.string() + " and lose what came after it.");
  if (pending && !ran.empty()) keep_copy(database, clock, copies);
  for (const auto& room : rooms) database.migrate(room);
}

}  // namespace renga::store
