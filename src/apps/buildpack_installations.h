// Buildpack installations: the buildpacks set on an app, in the order in which they run. An app
// without any has its language detected. Every call blocks on the store and is safe from any
// thread.
#pragma once

#include <string>
#include <vector>

#include "apps/app.h"
#include "base/result.h"
#include "store/database.h"

namespace renga::apps {

struct BuildpackInstallation {
  int ordinal = 0;  // from 0
  std::string
      url;  // as given: "heroku/python", "urn:buildpack:heroku/python", or a git or tarball URL

  // Without the "urn:buildpack:" in front: "heroku/python", or the URL.
  std::string name() const;
  // A buildpack known by its name, as opposed to one that is fetched from a URL.
  bool is_named() const;
  bool operator==(const BuildpackInstallation&) const = default;
};

class BuildpackInstallations {
 public:
  explicit BuildpackInstallations(store::Database& database) : database_(database) {}

  std::vector<BuildpackInstallation> all(const Id<App>& app);
  // All or nothing; an empty list goes back to detection. Kind::invalid: neither a name nor a URL
  // that can be fetched, or more than 20 of them; Kind::not_found: no such app.
  Result<std::vector<BuildpackInstallation>> replace(const Id<App>& app,
                                                     std::vector<std::string> urls);

 private:
  store::Database& database_;
};

// The rule that replace() goes by, for the buildpacks that a single build is given. Kind::invalid.
Result<void> check_buildpack(std::string_view url);

}  // namespace renga::apps
