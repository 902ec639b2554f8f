// The providers that renga brings, and how the marketplace is wired.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "addons/marketplace.h"
#include "addons/own_services.h"
#include "addons/supervisor.h"

namespace renga::server {

// Those that control starts: `renga provider NAME`, and the service it is for.
std::vector<addons::BuiltInProvider> built_in_providers();

// Everything about add-ons that control owns. Made before the API, whose address providers call
// back is not known yet then. `scheduler_gone` hears of an app's last add-on of the scheduler, as
// it goes; of one again after a crash.
class Providers {
 public:
  Providers(store::Database& database, Clock& clock, const crypto::SecretBox& box,
            accounts::Accounts& accounts, apps::Apps& apps, releases::Releases& releases,
            logs::LogStore& logs, logs::Drains& drains, std::filesystem::path directory,
            const std::string& api_url, std::function<void(const addons::Addon&)> scheduler_gone);

  // Carries on what a crash left, and waits a little for the built-in ones to be in the catalog.
  void start();

  // Ends the calls to providers that are under way: somebody may wait for one while control ends.
  void stop() { provider_->stop(); }

  addons::Marketplace& marketplace() { return marketplace_; }

 private:
  std::unique_ptr<addons::Provider> provider_;
  addons::Marketplace marketplace_;
  addons::Supervisor supervisor_;
};

}  // namespace renga::server
