// Marketplace: this room as one thing: its objects, made in the right order. Owned by server/.
#pragma once

#include "addons/addons.h"

namespace renga::addons {

struct Marketplace {
  Marketplace(store::Database& database, Clock& clock, const crypto::SecretBox& box,
              accounts::Accounts& accounts, apps::Apps& apps, releases::Releases& releases,
              logs::LogStore& logs, Provider& provider, ProvisionerOptions options)
      : catalog(database, clock, box),
        grants(database, clock, catalog),
        books(database, clock, box),
        owed(clock, books, catalog, accounts, releases, logs),
        provisioner(database, clock, books, catalog, grants, owed, provider, std::move(options)),
        addons(database, clock, books, catalog, apps, releases, owed, provisioner) {}

  Catalog catalog;
  Grants grants;
  Books books;
  OwedReleases owed;
  Provisioner provisioner;
  Addons addons;
};

}  // namespace renga::addons
