#include "server/route_feeder.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "base/locked.h"
#include "base/report.h"
#include "dynos/engines/engines.h"

namespace renga::server {

namespace {

constexpr std::chrono::seconds all_every{30};
// What could not be read is looked at again, with everything else.
constexpr std::chrono::seconds after_trouble{1};

struct Known {
  router::Route route;
  std::vector<std::string> hosts;
  bool operator==(const Known&) const = default;
};

// The features that a route has, and the apps that they are on for.
struct Switched {
  explicit Switched(apps::Features& features)
      : to_https(features.enabled_for("redirect-to-https")),
        affinity(features.enabled_for("http-session-affinity")),
        no_keepalive(features.enabled_for("http-disable-keepalive-to-dyno")),
        end_to_end(features.enabled_for("http-end-to-end-continue")) {}
  std::set<std::string> to_https, affinity, no_keepalive, end_to_end;
};

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

  struct Due {
    std::set<Id<apps::App>> apps;
    bool certificates = false;
  };
  struct Shared {
    Due due;
    bool stopping = false;
  };
  Locked<Shared> shared;
  std::condition_variable woken;
  std::map<std::string, Known> known;  // by app: the table as it was sent
  bool sent = false;
  std::vector<net::NamedCertificate> sent_certificates;
  std::thread thread;

  Known look_at(const apps::App& app, const Switched& switched) {
    const auto release = releases.current(app.id);
    const auto endpoints = reconciler.endpoints_of(app, release);
    const auto config = releases.config(release);
    const auto config_var = [&](const char* name) {
      const auto found = config.find(name);
      return found == config.end() ? std::string() : found->second;
    };

    Known seen;
    auto& route = seen.route;
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
    route.redirect_to_https = switched.to_https.contains(app.id.value);
    route.session_affinity = switched.affinity.contains(app.id.value);
    route.disable_keepalive = switched.no_keepalive.contains(app.id.value);
    route.end_to_end_continue = switched.end_to_end.contains(app.id.value);
    for (const auto& up : endpoints.up)
      route.backends.push_back(
          {up.dyno.value, up.dyno_name, up.host, static_cast<std::uint16_t>(up.port)});
    for (const auto& domain : domains.all(app)) seen.hosts.push_back(domain.hostname);
    return seen;
  }

  void feed_all() {
    const auto every_app = apps.all();
    feed_certificates(every_app);
    const Switched switched(features);
    std::map<std::string, Known> seen;
    for (const auto& app : every_app) seen.emplace(app.id.value, look_at(app, switched));
    if (sent && seen == known) return;
    known = std::move(seen);
    send();
  }

  void feed(const Due& due) {
    if (due.certificates && certificates != nullptr) feed_certificates(apps.all());
    const Switched switched(features);
    std::vector<router::AppRoute> there;
    std::vector<std::string> gone;
    for (const auto& id : due.apps) {
      const auto app = apps.find(id);
      if (!app) {
        if (known.erase(id.value) > 0) gone.push_back(id.value);
        continue;
      }
      auto seen = look_at(*app, switched);
      auto& before = known[id.value];
      if (seen == before) continue;
      before = std::move(seen);
      there.push_back({before.route, before.hosts});
    }
    if (!there.empty() || !gone.empty()) link.send(std::move(there), std::move(gone));
  }

  void send() {
    router::RouteTable table;
    for (const auto& [app, one] : known) {
      for (const auto& host : one.hosts) table.hosts[host] = table.routes.size();
      table.routes.push_back(one.route);
    }
    link.send(std::move(table));
    sent = true;
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
    auto all_at = std::chrono::steady_clock::now();
    for (;;) {
      Due due;
      {
        auto now = shared.lock();
        now.wait_for(woken, all_at - std::chrono::steady_clock::now(),
                     [&] { return !now->due.apps.empty() || now->stopping; });
        if (now->stopping) return;
        due = std::exchange(now->due, {});
      }
      const bool all = std::chrono::steady_clock::now() >= all_at;
      if (all) all_at = std::chrono::steady_clock::now() + all_every;
      try {
        all ? feed_all() : feed(due);
      } catch (const std::exception& error) {
        report("routes", error.what());
        all_at = std::min(all_at, std::chrono::steady_clock::now() + after_trouble);
      }
    }
  }

  void note(const Id<apps::App>& app, bool with_certificates) {
    {
      auto now = shared.lock();
      now->due.apps.insert(app);
      now->due.certificates = now->due.certificates || with_certificates;
    }
    woken.notify_all();
  }
};

RouteFeeder::RouteFeeder(apps::Apps& apps, apps::Domains& domains, apps::Features& features,
                         releases::Releases& releases, dynos::Reconciler& reconciler,
                         dynos::Engine& engine, router::RouterLink& link,
                         EdgeCertificates* certificates)
    : state_(new State{.apps = apps,
                       .domains = domains,
                       .releases = releases,
                       .reconciler = reconciler,
                       .link = link,
                       .features = features,
                       .certificates = certificates,
                       .sleep = dynos::sleep_of(engine),
                       .shared = {},
                       .woken = {},
                       .known = {},
                       .sent_certificates = {},
                       .thread = {}}) {}

RouteFeeder::~RouteFeeder() {
  state_->shared.lock()->stopping = true;
  state_->woken.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

void RouteFeeder::start() {
  state_->thread = std::thread([this] { state_->run(); });
}

void RouteFeeder::app_changed(const Id<apps::App>& app) { state_->note(app, true); }
void RouteFeeder::dynos_changed(const Id<apps::App>& app) { state_->note(app, false); }

}  // namespace renga::server
