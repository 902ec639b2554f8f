// Rooms: what the API asks, as a test has it: real rooms over a store in memory (or, where a test
// asks for it, in a file) and a scratch directory, an engine that runs nothing and a provider that
// answers what it is told. Ada owns the app sushi and Bob nothing.
#pragma once

#include "addons/testing/fake_provider.h"
#include "api/api.h"
#include "api/testing/tables.h"
#include "base/testing/fake_clock.h"
#include "dynos/testing/fake_engine.h"
#include "pipelines/promotions.h"
#include "releases/testing/tarball.h"

namespace renga::api {

struct Rooms {
  enum class Stored { in_memory, in_a_file };
  explicit Rooms(Stored stored)
      : database(stored == Stored::in_a_file ? scratch.path / "renga.db" : ":memory:") {}

  releases::Scratch scratch;
  FakeClock clock;
  Tables database;
  crypto::SecretBox box;
  accounts::Accounts people{database, clock};
  accounts::Authorizations authorizations{database, clock};
  apps::Apps apps{database, clock, {"host", "debian-13"}};
  apps::Domains domains{database, clock, "localhost"};
  apps::Features features{database, clock};
  apps::SniEndpoints sni_endpoints{database, clock, box};
  apps::BuildpackInstallations installations{database};
  releases::Slugs slugs{database, clock, scratch.path / "slugs"};
  releases::Releases releases{database, clock, apps, slugs, box};
  logs::LogStore logs{{.directory = scratch.path / "logs"}};
  logs::OutputStreams outputs{scratch.path / "output"};
  logs::Sessions sessions{logs, clock};
  logs::Drains drains{database, clock, box, logs, {}};
  dynos::FakeEngine engine{clock};
  dynos::Formation formation{database, clock};
  dynos::Reconciler reconciler{database, clock,     apps,   domains, releases,
                               slugs,    formation, engine, logs,    outputs};
  // Nobody makes sandboxes here: builds end with that reason.
  sandbox::Spawner spawner{{.program = "/bin/false",
                            .init_program = "/bin/false",
                            .run_directory = scratch.path / "sandboxes",
                            .server_name = "apitest"}};
  builds::Builds builds{database,
                        clock,
                        apps,
                        domains,
                        installations,
                        slugs,
                        releases,
                        outputs,
                        logs,
                        spawner,
                        {.directory = scratch.path / "builds",
                         .buildpacks_directory = scratch.path / "buildpacks",
                         .environment = {},
                         .web_url_format = "http://{host}:8080/"}};
  git::Repositories repositories{database,
                                 clock,
                                 apps,
                                 builds,
                                 outputs,
                                 {.directory = scratch.path / "repositories",
                                  .hook_socket = scratch.path / "hook.sock",
                                  .program = "/bin/false"}};
  addons::FakeProvider provider;
  addons::Marketplace marketplace{
      database, clock, box,    people,   apps,
      releases, logs,  drains, provider, {.api_url = "http://127.0.0.1:7373"}};
  dynos::Rendezvous rendezvous{engine};
  dynos::UsageHistory usage{scratch.path / "usage", clock};
  pipelines::Pipelines pipelines{database, clock, apps, box};
  pipelines::Promotions promotions{database, clock, apps, pipelines, releases, slugs};
  setups::AppSetups app_setups{{database, clock, apps, installations, releases, builds, formation,
                                engine, reconciler, outputs, box, marketplace.catalog,
                                marketplace.addons, scratch.path / "setups"}};
  scheduler::Jobs jobs{database, clock};
  webhooks::Webhooks webhooks{database, clock, box};
  int slugs_made = 0;
  std::vector<std::string> changed_apps;
  Result<router::RouterFigures> routed = router::RouterFigures();
  Api api{Services{
      .database = database,
      .clock = clock,
      .box = box,
      .accounts = people,
      .authorizations = authorizations,
      .apps = apps,
      .domains = domains,
      .features = features,
      .sni_endpoints = sni_endpoints,
      .buildpack_installations = installations,
      .releases = releases,
      .slugs = slugs,
      .builds = builds,
      .marketplace = marketplace,
      .formation = formation,
      .engine = engine,
      .reconciler = reconciler,
      .rendezvous = rendezvous,
      .usage = usage,
      .jobs = jobs,
      .logs = logs,
      .log_sessions = sessions,
      .drains = drains,
      .outputs = outputs,
      .repositories = repositories,
      .pipelines = pipelines,
      .promotions = promotions,
      .app_setups = app_setups,
      .webhooks = webhooks,
      .sources_directory = scratch.path / "sources",
      .web_url_format = "http://{host}:8080/",
      .url = "http://127.0.0.1:7373",
      .tls_url = "https://localhost:7373",
      .on_app_change = [this](const Id<apps::App>& app) { changed_apps.push_back(app.value); },
      .router_figures = [this] { return routed; }}};
  accounts::Account ada = people.create("ada@example.com", "Ada", false).value();
  accounts::Account bob = people.create("bob@example.com", "Bob", false).value();
  apps::App sushi = apps.create(ada, {"sushi", ""}).value();
};

}  // namespace renga::api
