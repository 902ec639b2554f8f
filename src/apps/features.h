// App features: switches an app's owner may turn ("heroku features"). The list is fixed; what is
// stored is who turned what.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "apps/app.h"
#include "base/result.h"
#include "store/database.h"

namespace renga::apps {

struct Feature {
  std::string id;  // a UUID fixed per feature
  std::string name;
  std::string description;
  std::string doc_url;
  std::string state;  // "general" or "beta"
  bool enabled = false;
  Time created_at;
  Time updated_at;
};

class Features {
 public:
  Features(store::Database& database, Clock& clock) : database_(database), clock_(clock) {}

  std::vector<Feature> all(const Id<App>& app);
  Result<Feature> find(const Id<App>& app, std::string_view identity);  // id or name
  // The apps for which this one was switched on; for a feature that is off by itself.
  std::set<std::string> enabled_for(std::string_view name);
  Result<Feature> set(const Id<App>& app, std::string_view identity, bool enabled);

 private:
  store::Database& database_;
  Clock& clock_;
};

}  // namespace renga::apps
