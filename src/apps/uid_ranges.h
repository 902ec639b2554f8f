// Uid ranges: the 65,536 host ids that an app's processes run under, never shared with another app
// and kept for the app's life. Ranges of destroyed apps are used again.
#pragma once

#include <cstdint>

#include "apps/app.h"
#include "store/database.h"

namespace renga::apps {

class UidRanges {
 public:
  static constexpr std::uint32_t first =
      1'000'000;  // above subuid ranges that Debian hands to people
  static constexpr std::uint32_t length = 65'536;
  static constexpr std::uint32_t most = 60'000;
  // Behind them: the router's user, whom nothing else is.
  static constexpr std::uint32_t router = first + most * length;

  explicit UidRanges(store::Database& database) : database_(database) {}
  // The app's base, assigned on the first call. Throws when 60,000 apps have one.
  std::uint32_t base(const Id<App>& app);

 private:
  store::Database& database_;
};

}  // namespace renga::apps
