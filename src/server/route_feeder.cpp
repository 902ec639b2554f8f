#include "server/route_feeder.h"

#include <chrono>
#include <condition_variable>
#include <set>
#include <thread>

#include "base/locked.h"
#include "base/report.h"
#include "dynos/engines/engines.h"

namespace renga::server {

namespace {
using SteadyClock = std::chrono::steady_clock;
constexpr std::chrono::seconds every_app_after{30};  // so that news that are lost are not for long
constexpr std::chrono::seconds after_a_failure{1};
}  // namespace

struct RouteFeeder::State {
  apps::Apps& apps;
  apps::Domains& domains;
  releases::Releases& releases;
  dynos::Reconciler& reconciler;
  router::RouterLink& link;
  apps::Features& features;
  EdgeCertificates* certificates;
  dynos::Sleep* sleep;

  struct Shared {
    std::set<Id<apps::App>> poked;
    bool stopping = false;
  };
  Locked<Shared> shared;
  std::condition_variable woken;
  std::vector<net::NamedCertificate> sent_certificates;
  std::thread thread;

  // Who has switched what on, as it is when a feed begins.
  struct Switches {
    explicit Switches(apps::Features& features)
        : to_https(features.enabled_for("redirect-to-https")),
          affinity(features.enabled_for("http-session-affinity")),
          no_keepalive(features.enabled_for("http-disable-keepalive-to-dyno")),
          end_to_end(features.enabled_for("http-end-to-end-continue")) {}
    const std::set<std::string> to_https, affinity, no_keepalive, end_to_end;
  };

  router::AppRoute route_of(const apps::App& app, const Switches& switches) {
    const auto release = releases.current(app.id);
    const auto endpoints = reconciler.endpoints_of(app, release);
    const auto config = releases.config(release);
    const auto config_var = [&](const char* name) {
      const auto found = config.find(name);
      return found == config.end() ? std::string() : found->second;
    };

    router::AppRoute made;
    auto& route = made.route;
    route.app = app.id.value;
    route.name = app.name;
    route.starting = endpoints.starting;
    route.crashed = endpoints.crashed;
    route.deployed = release.slug.has_value();
    route.maintenance = app.maintenance;
    route.idle = sleep != nullptr && sleep->idle(app.id);
    route.web_quantity = endpoints.web_quantity;
    route.error_page_url = config_var("ERROR_PAGE_URL");
    route.maintenance_page_url = config_var("MAINTENANCE_PAGE_URL");
    for (const auto& up : endpoints.up)
      route.backends.push_back(
          {up.dyno.value, up.dyno_name, up.host, static_cast<std::uint16_t>(up.port)});
    route.redirect_to_https = switches.to_https.contains(app.id.value);
    route.session_affinity = switches.affinity.contains(app.id.value);
    route.disable_keepalive = switches.no_keepalive.contains(app.id.value);
    route.end_to_end_continue = switches.end_to_end.contains(app.id.value);
    for (auto& domain : domains.all(app)) made.hosts.push_back(std::move(domain.hostname));
    return made;
  }

  void feed_all() {
    const auto every_app = apps.all();
    feed_certificates(every_app);
    const Switches switches(features);
    router::RouteTable table;
    for (const auto& app : every_app) {
      auto [route, hosts] = route_of(app, switches);
      for (auto& host : hosts) table.hosts[std::move(host)] = table.routes.size();
      table.routes.push_back(std::move(route));
    }
    link.send(std::move(table));
  }

  void feed(const std::set<Id<apps::App>>& poked) {
    if (certificates != nullptr) feed_certificates(apps.all());
    const Switches switches(features);
    std::vector<router::AppRoute> there;
    std::vector<std::string> gone;
    for (const auto& id : poked) {
      if (const auto app = apps.find(id)) {
        there.push_back(route_of(*app, switches));
      } else {
        gone.push_back(id.value);
      }
    }
    link.send(std::move(there), std::move(gone));
  }

  // Before the table, so that a host that is routed has its certificate already.
  void feed_certificates(const std::vector<apps::App>& every_app) {
    if (certificates == nullptr) return;
    auto all = certificates->all(every_app);
    if (all == sent_certificates) return;
    sent_certificates = all;
    link.send(std::move(all));
  }

  void run() {
    auto all_again = SteadyClock::now();
    for (;;) {
      std::set<Id<apps::App>> poked;
      {
        auto now = shared.lock();
        now.wait_for(woken, all_again - SteadyClock::now(),
                     [&] { return !now->poked.empty() || now->stopping; });
        if (now->stopping) return;
        poked = std::exchange(now->poked, {});
      }
      try {
        if (SteadyClock::now() < all_again) {
          feed(poked);
        } else {
          feed_all();
          all_again = SteadyClock::now() + every_app_after;
        }
      } catch (const std::exception& error) {
        report("routes", error.what());
        all_again = SteadyClock::now() + after_a_failure;
      }
    }
  }
};

RouteFeeder::RouteFeeder(apps::Apps& apps, apps::Domains& domains, apps::Features& features,
                         releases::Releases& releases, dynos::Reconciler& reconciler,
                         dynos::Engine& engine, router::RouterLink& link,
                         EdgeCertificates* certificates)
    : state_(new State{apps,
                       domains,
                       releases,
                       reconciler,
                       link,
                       features,
                       certificates,
                       dynos::sleep_of(engine),
                       {},
                       {},
                       {},
                       {}}) {}

RouteFeeder::~RouteFeeder() {
  state_->shared.lock()->stopping = true;
  state_->woken.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

void RouteFeeder::start() {
  state_->thread = std::thread([this] { state_->run(); });
}

void RouteFeeder::poke(const Id<apps::App>& app) {
  state_->shared.lock()->poked.insert(app);
  state_->woken.notify_all();
}

}  // namespace renga::server
