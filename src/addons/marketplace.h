// Marketplace: this room as one thing: its objects, made in the right order. Owned by server/.
#pragma once

#include "addons/addons.h"

namespace renga::addons {

struct Marketplace {
  Marketplace(store::Database& database, Clock& clock, const crypto::SecretBox& box,
              accounts::Accounts& accounts, apps::Apps& apps, releases::Releases& releases,
              logs::LogStore& logs, logs::Drains& drains, Provider& provider,
              ProvisionerOptions options)
      : catalog(database, clock, box),
        grants(database, clock, catalog),
        books(database, clock, box),
        log_drains(database, books, catalog, drains),
        log_input(books, catalog, box, options.api_url),
        owed(clock, books, catalog, accounts, releases, logs),
        provisioner(database, clock, books, catalog, grants, log_drains, log_input, owed, provider,
                    std::move(options)),
        addons(database, clock, books, catalog, apps, releases, owed, provisioner) {}

  Catalog catalog;
  Grants grants;
  Books books;
  LogDrains log_drains;
  LogInput log_input;
  OwedReleases owed;
  Provisioner provisioner;
  Addons addons;
};

}  // namespace renga::addons
