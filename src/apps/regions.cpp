#include "apps/regions.h"

namespace renga::apps {

std::string Regions::of(const Id<App>& app) {
  return database_
      .first(
          "SELECT region FROM apps WHERE id = ?", [](const store::Row& row) { return row.text(0); },
          app)
      .value_or(std::string(names.front()));
}

void Regions::set(const Id<App>& app, std::string_view name) {
  database_.run("UPDATE apps SET region = ? WHERE id = ?", name, app);
}

}  // namespace renga::apps
