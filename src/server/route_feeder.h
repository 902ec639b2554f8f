// RouteFeeder: keeps the router told. Makes an app's route from its row, domains, release and the
// engine's endpoints when it is told that they changed, those of all apps every half minute, and
// sends what differs from the last. So a change costs what one app costs, however many
// there are. One thread of its own; what tells it is safe from any thread and returns at once.
// Nothing is sent before start(): a table made before the engine took up its dynos would take them
// away from the router.
#pragma once

#include <memory>

#include "apps/domains.h"
#include "apps/features.h"
#include "dynos/engine.h"
#include "dynos/reconciler.h"
#include "releases/releases.h"
#include "router/router_link.h"
#include "server/edge_certificates.h"

namespace renga::server {

class RouteFeeder {
 public:
  // `certificates`: none where https is not served. Borrowed, as all the others.
  RouteFeeder(apps::Apps& apps, apps::Domains& domains, apps::Features& features,
              releases::Releases& releases, dynos::Reconciler& reconciler, dynos::Engine& engine,
              router::RouterLink& link, EdgeCertificates* certificates);
  ~RouteFeeder();
  RouteFeeder(const RouteFeeder&) = delete;
  RouteFeeder& operator=(const RouteFeeder&) = delete;

  void start();  // once
  // The app came, went, or has another name, domain, feature, certificate or maintenance.
  void app_changed(const Id<apps::App>& app);
  // Its release, its formation or what its dynos do.
  void dynos_changed(const Id<apps::App>& app);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::server
