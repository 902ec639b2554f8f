// App transfers: an owner offers an app to another account, which accepts or declines. Every call
// blocks on the store and is safe from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/apps.h"

namespace renga::apps {

struct Transfer {
  Id<Transfer> id;
  Id<App> app;
  std::string app_name;
  Id<accounts::Account> owner;
  Id<accounts::Account> recipient;
  std::string state;  // "pending", "accepted", "declined"
  Time created_at;
  Time updated_at;
};

enum class Verdict { accept, decline };

class Transfers {
 public:
  Transfers(store::Database& database, Clock& clock, Apps& apps)
      : database_(database), clock_(clock), apps_(apps) {}

  // The caller has checked that whoever offers it may. Kind::invalid: the recipient owns it
  // already; Kind::conflict: it is on its way to somebody.
  Result<Transfer> offer(const App& app, const accounts::Account& recipient);
  // Those from and to the account, oldest first.
  std::vector<Transfer> all(const accounts::Account& account);
  // By id, or by the app's name or id where one is pending. Kind::not_found, also for one between
  // others.
  Result<Transfer> find(const accounts::Account& account, std::string_view identity);
  // What the recipient says. The old owner stays on an accepted app as a collaborator.
  // Kind::forbidden: somebody else; Kind::conflict: it was decided already, or the app has got
  // another owner on another way.
  Result<Transfer> decide(const accounts::Account& account, std::string_view identity,
                          Verdict verdict);
  // Takes the offer back, or a decided one off the list: the owner's to do.
  Result<Transfer> remove(const accounts::Account& account, std::string_view identity);

 private:
  store::Database& database_;
  Clock& clock_;
  Apps& apps_;
};

}  // namespace renga::apps
