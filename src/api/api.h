// Api: Heroku's Platform API, git's door and the capability URLs, all behind the one control
// endpoint. It owns no domain object: it asks the rooms and writes their answers as JSON. Both
// calls are safe from any thread; what a call blocks on is what its room blocks on. docs/api.md
// says what is served.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "accounts/accounts.h"
#include "accounts/authorizations.h"
#include "addons/marketplace.h"
#include "apps/apps.h"
#include "apps/buildpack_installations.h"
#include "apps/domains.h"
#include "apps/features.h"
#include "apps/sni_endpoints.h"
#include "builds/builds.h"
#include "dynos/engine.h"
#include "dynos/formation.h"
#include "dynos/reconciler.h"
#include "dynos/rendezvous.h"
#include "dynos/usage.h"
#include "git/repositories.h"
#include "http/client.h"
#include "http/server.h"
#include "logs/drains.h"
#include "logs/log_store.h"
#include "logs/output_streams.h"
#include "logs/sessions.h"
#include "pipelines/promotions.h"
#include "releases/releases.h"
#include "router/figures.h"
#include "scheduler/jobs.h"
#include "setups/app_setups.h"
#include "webhooks/webhooks.h"

namespace renga::api {

// Everything the API asks. Borrowed: all of it outlives the Api.
struct Services {
  store::Database& database;
  Clock& clock;
  const crypto::SecretBox& box;  // signs capability URLs
  accounts::Accounts& accounts;
  accounts::Authorizations& authorizations;
  apps::Apps& apps;
  apps::Domains& domains;
  apps::Features& features;
  apps::SniEndpoints& sni_endpoints;
  apps::BuildpackInstallations& buildpack_installations;
  releases::Releases& releases;
  releases::Slugs& slugs;
  builds::Builds& builds;
  addons::Marketplace& marketplace;
  dynos::Formation& formation;
  dynos::Engine& engine;
  dynos::Reconciler& reconciler;
  dynos::Rendezvous& rendezvous;
  dynos::UsageHistory& usage;
  scheduler::Jobs& jobs;
  logs::LogStore& logs;
  logs::Sessions& log_sessions;
  logs::Drains& drains;
  logs::OutputStreams& outputs;
  git::Repositories& repositories;
  pipelines::Pipelines& pipelines;
  pipelines::Promotions& promotions;
  setups::AppSetups& app_setups;
  webhooks::Webhooks& webhooks;

  // Where uploads wait for their build: DIR/sources, on the data directory's file system.
  std::filesystem::path sources_directory;
  // Where a source's address may lead.
  http::Reach fetch_reach = http::Reach::public_addresses;
  // How an app's address is written: "http://{host}:8080/".
  std::string web_url_format;
  // The control endpoint, without a slash at the end: for answers to requests without a Host.
  std::string url;      // "http://127.0.0.1:7373"
  std::string tls_url;  // "https://localhost:7373"

  // Called after an app was created, renamed, put into maintenance or destroyed, got or lost a
  // domain, had a feature switched or a certificate changed; on the thread that did it. The
  // router's table follows from it.
  std::function<void(const Id<apps::App>&)> on_app_change = [](const Id<apps::App>&) {};
  // What the router has counted since it started; Kind::unavailable: it does not answer.
  std::function<Result<router::RouterFigures>()> router_figures = [] {
    return router::RouterFigures();
  };
};

class Api {
 public:
  explicit Api(Services services);
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  // What to do with a request whose head is there. Only looks at method and path: runs on the
  // loop's thread.
  http::Route route(const http::Request& head);

  // Answers a request: finds its route, who asks and whether they may, and calls the resource.
  // Never throws.
  http::Response handle(http::Request& request);

  // What happens by itself, for webhooks. From any thread; these throw nothing.
  void release_changed(const releases::Release& release);
  void build_changed(const builds::Build& build);
  void dyno_changed(const dynos::Dyno& dyno);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::api
