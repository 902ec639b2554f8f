// Slots are taken in order and a destroyed app's slot stays taken by nobody, so that a range comes
// back as late as it can: what a destroyed app left behind by mistake is not another app's the next
// minute.
#include "apps/uid_ranges.h"

#include <stdexcept>

namespace renga::apps {

std::uint32_t UidRanges::base(const Id<App>& app) {
  const auto slot_of = [](const store::Row& row) { return row.integer(0); };

  auto transaction = database_.begin();
  auto slot = database_.first("SELECT slot FROM uid_ranges WHERE app = ?", slot_of, app);
  if (!slot) {
    slot = database_.first("SELECT coalesce(max(slot) + 1, 0) FROM uid_ranges", slot_of);
    if (*slot >= most) {
      slot = database_.first("SELECT slot FROM uid_ranges WHERE app IS NULL ORDER BY slot LIMIT 1",
                             slot_of);
      if (!slot) throw std::runtime_error("All 60,000 ranges of user ids are taken by apps.");
    }
    database_.run(
        "INSERT INTO uid_ranges (slot, app) VALUES (?, ?) ON CONFLICT (slot) DO UPDATE SET app = "
        "excluded.app",
        *slot, app);
  }
  transaction.commit();
  return first + static_cast<std::uint32_t>(*slot) * length;
}

}  // namespace renga::apps
