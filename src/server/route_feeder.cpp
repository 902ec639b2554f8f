#include "server/route_feeder.h"

#include <condition_variable>
#include <thread>

#include "base/locked.h"
#include "base/report.h"
#include "dynos/engines/engines.h"

namespace renga::server {

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
    bool poked = true;
    bool stopping = false;
  };
  Locked<Shared> shared;
  std::condition_variable woken;
  router::RouteTable sent;
  std::vector<net::NamedCertificate> sent_certificates;
  std::thread thread;

  router::Route route_of(const apps::App& app) {
    const auto release = releases.current(app.id);
    const auto endpoints = reconciler.endpoints_of(app, release);
    const auto config = releases.config(release);
    const auto config_var = [&](const char* name) {
      const auto found = config.find(name);
      return found == config.end() ? std::string() : found->second;
    };

    router::Route route;
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
    return route;
  }

  void feed() {
    const auto every_app = apps.all();
    feed_certificates(every_app);
    const auto to_https = features.enabled_for("redirect-to-https");
    const auto affinity = features.enabled_for("http-session-affinity");
    const auto no_keepalive = features.enabled_for("http-disable-keepalive-to-dyno");
    const auto end_to_end = features.enabled_for("http-end-to-end-continue");
    router::RouteTable table;
    for (const auto& app : every_app) {
      table.routes.push_back(route_of(app));
      auto& route = table.routes.back();
      route.redirect_to_https = to_https.contains(app.id.value);
      route.session_affinity = affinity.contains(app.id.value);
      route.disable_keepalive = no_keepalive.contains(app.id.value);
      route.end_to_end_continue = end_to_end.contains(app.id.value);
      for (const auto& domain : domains.all(app))
        table.hosts[domain.hostname] = table.routes.size() - 1;
    }
    if (table.routes == sent.routes && table.hosts == sent.hosts) return;
    sent = table;
    link.send(std::move(table));
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
    for (;;) {
      {
        auto now = shared.lock();
        now.wait_for(woken, std::chrono::seconds(30), [&] { return now->poked || now->stopping; });
        if (now->stopping) return;
        now->poked = false;
      }
      try {
        feed();
      } catch (const std::exception& error) {
        report("routes", error.what());
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

void RouteFeeder::poke() {
  state_->shared.lock()->poked = true;
  state_->woken.notify_all();
}

}  // namespace renga::server
