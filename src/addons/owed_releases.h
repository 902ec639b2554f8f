// OwedReleases: brings what add-ons give to an app into its releases. A change of attachments or of
// an add-on's config writes what it owes to whom in its own transaction (Books::owe); pay() makes
// the releases of it. So a crash between the two costs nothing: the next pay() goes on. Safe from
// any thread; must not be called inside a transaction.
#pragma once

#include "addons/books.h"
#include "addons/catalog.h"
#include "logs/log_store.h"
#include "releases/releases.h"

namespace renga::addons {

class OwedReleases {
 public:
  OwedReleases(Clock& clock, Books& books, Catalog& catalog, accounts::Accounts& accounts,
               releases::Releases& releases, logs::LogStore& logs)
      : clock_(clock),
        books_(books),
        catalog_(catalog),
        accounts_(accounts),
        releases_(releases),
        logs_(logs) {}

  void pay();

  // The config vars that its attachments give an app now.
  apps::ConfigVars vars_of(const Id<apps::App>& app);
  // "DATABASE_URL", …: of one attachment.
  std::vector<std::string> var_names(const Attachment& attachment, const Addon& addon);
  // "heroku-postgresql@addons.heroku.com" for what a provider did; an account's e-mail address.
  std::optional<std::string> email_of(const Id<accounts::Account>& user);

 private:
  std::optional<releases::NewRelease> next(const Id<apps::App>& app);

  Clock& clock_;
  Books& books_;
  Catalog& catalog_;
  accounts::Accounts& accounts_;
  releases::Releases& releases_;
  logs::LogStore& logs_;
};

}  // namespace renga::addons
