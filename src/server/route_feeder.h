// RouteFeeder: keeps the router told. Makes the routes of the apps that were poked from apps,
// domains, releases and the engine's endpoints, and those of all apps at the start and every half
// minute; what of it differs is the link's to find. One thread of its own; poke() is
// safe from any thread and returns at once. Nothing is sent before start(): a table made before the
// engine took up its dynos would take them away from the router.
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

  void start();                         // once
  void poke(const Id<apps::App>& app);  // something of its route may have changed

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::server
