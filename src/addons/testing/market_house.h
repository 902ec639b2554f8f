// A marketplace with one service and its provider, and two apps, for tests.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "addons/marketplace.h"
#include "addons/migrations.h"
#include "addons/testing/fake_provider.h"
#include "logs/migrations.h"
#include "releases/testing/house.h"

namespace renga::addons {

inline constexpr const char* tank = R"({"id": "heroku-tank", "name": "Tank",
  "api": {"config_vars": ["HEROKU_TANK_URL", "HEROKU_TANK_CA"], "default_attachment_name": "TANK",
          "requires": ["many_per_app", "attachable"],
          "production": {"base_url": "https://tank.example/heroku/resources/", "sso_url": "https://tank.example/sso"}},
  "plans": [{"name": "basic"}, {"name": "big", "price": {"cents": 900}}]})";

class MarketHouse : public releases::House {
 protected:
  MarketHouse() {
    database.migrate(logs::migrations());
    database.migrate(migrations());
    releases.append_first(sushi.id, ada.id);
    releases.append_first(maki.id, ada.id);
    catalog().put(Manifest::parse(tank).value());
    make_market();
  }
  // As after a crash of control: nothing but the store is left.
  void make_market() {
    market.reset();
    market = std::make_unique<Marketplace>(
        database, clock, box, people, apps, releases, logs, drains, provider,
        ProvisionerOptions{.api_url = "https://paas.example.com"});
  }
  Catalog& catalog() {
    if (!market) make_market();
    return market->catalog;
  }
  Addons& addons() { return market->addons; }
  Result<Addon> create(std::string plan = "heroku-tank", std::string as = "",
                       std::string confirm = "") {
    return addons().create(sushi, ada,
                           {.plan = std::move(plan),
                            .name = "",
                            .attachment = std::move(as),
                            .options = {},
                            .confirm = std::move(confirm)});
  }
  std::vector<std::string> descriptions(const apps::App& app) {
    std::vector<std::string> all;
    for (const auto& release : releases.all(app.id)) all.insert(all.begin(), release.description);
    return all;
  }
  std::map<std::string, std::string> books() {
    std::map<std::string, std::string> all;
    for (const auto& addon : addons().all()) all[addon.id.value] = catalog().plan(addon.plan).name;
    return all;
  }
  // Until nothing is left to do, however long the pauses are.
  void settle() {
    for (int round = 0; round < 60; ++round) {
      clock.advance(std::chrono::hours(2));
      market->provisioner.work();
    }
  }

  crypto::SecretBox box;
  ::renga::releases::Releases releases{database, clock, apps, slugs, box};
  logs::LogStore logs{{.directory = scratch.path / "logs"}};
  logs::Drains drains{database, clock, box, logs, {}};
  FakeProvider provider;
  std::unique_ptr<Marketplace> market;
};

}  // namespace renga::addons
