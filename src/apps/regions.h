// Regions: by which name of this machine an app was made. There is one machine, `local`; Heroku's
// two are other names for it. An app keeps the one that it was made with, since clients compare:
// Terraform would replace an app whose region is not the one it asked for.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "apps/app.h"
#include "store/database.h"

namespace renga::apps {

class Regions {
 public:
  static constexpr std::array<std::string_view, 3> names = {"local", "us", "eu"};

  explicit Regions(store::Database& database) : database_(database) {}

  std::string of(const Id<App>& app);                   // "local" for an app that is not there
  void set(const Id<App>& app, std::string_view name);  // one of `names`

 private:
  store::Database& database_;
};

}  // namespace renga::apps
