// SetupAddons: the add-ons that setups ask for. Each has its name in a row before its provider is
// asked, so that a crash in between finds it again and never makes another. Options are sealed in
// the rows. Safe from any thread. Private to this room.
#pragma once

#include <string>
#include <vector>

#include "addons/addons.h"
#include "addons/catalog.h"
#include "crypto/secret_box.h"
#include "setups/app_json.h"

namespace renga::setups {

class SetupAddons {
 public:
  SetupAddons(store::Database& database, Clock& clock, const crypto::SecretBox& box,
              addons::Catalog& catalog, addons::Addons& addons)
      : database_(database), clock_(clock), box_(box), catalog_(catalog), addons_(addons) {}

  // What is wrong with them, a sentence each.
  std::vector<std::string> mistakes(const std::vector<AddonWish>& wishes);
  // Writes them down. Joins the caller's transaction.
  void ask(const std::string& setup, const std::vector<AddonWish>& wishes);
  // Asks for what was not asked for: blocks on providers, so not inside a transaction. True once
  // all of them and their config vars are there; false: look again. Kind::invalid: one of them
  // cannot be had.
  Result<bool> ready(const std::string& setup, const apps::App& app, const accounts::Account& user);

 private:
  struct Wanted;
  std::string free_name(const std::string& service);
  Result<bool> one_ready(const std::string& setup, const Wanted& wanted, const apps::App& app,
                         const accounts::Account& user);

  store::Database& database_;
  Clock& clock_;
  const crypto::SecretBox& box_;
  addons::Catalog& catalog_;
  addons::Addons& addons_;
};

}  // namespace renga::setups
