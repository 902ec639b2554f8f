// Permissions: what each collaborator may do with an app. Every call blocks on the store and is
// safe from any thread. Apps::find_for is where they count.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "apps/apps.h"

namespace renga::apps {

using Permissions = std::set<Permission>;

const Permissions& all_permissions();
std::string_view word_of(Permission permission);       // "view"
std::string words_of(const Permissions& permissions);  // "view deploy", as it is stored
Permissions permissions_in(std::string_view words);

class Grants {
 public:
  Grants(store::Database& database, Clock& clock) : database_(database), clock_(clock) {}

  // All of them for the owner; view, deploy and operate unless others were set.
  Permissions of(const Collaborator& collaborator);
  // By the id of the collaborator or of the account, or by e-mail address. To see an app is meant
  // by everything else: `view` is always among them. Kind::invalid: the owner.
  Result<Collaborator> set(Apps& apps, const Id<App>& app, std::string_view identity,
                           Permissions permissions);

 private:
  store::Database& database_;
  Clock& clock_;
};

// By the id of the collaborator or of the account, or by e-mail address. Kind::not_found.
Result<Collaborator> find_collaborator(Apps& apps, const Id<App>& app, std::string_view identity);

}  // namespace renga::apps
