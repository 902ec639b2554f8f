// World: the API over real rooms in memory and a scratch directory, with an engine that runs
// nothing. Ada owns the app sushi and Bob nothing; calls are Ada's unless they say otherwise.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "addons/testing/fake_provider.h"
#include "api/api.h"
#include "api/testing/known_buildpacks.h"
#include "api/testing/own_schema.h"
#include "api/testing/pieces.h"
#include "api/testing/schema_check.h"
#include "api/testing/tables.h"
#include "base/testing/fake_clock.h"
#include "base/text.h"
#include "dynos/testing/fake_engine.h"
#include "logs/testing/fake_response_stream.h"
#include "pipelines/promotions.h"
#include "releases/testing/tarball.h"

namespace renga::api {

class World : public testing::Test {
 protected:
  World() {
    ada_token = authorizations.create(ada.id, "ada", {"global"}, {}).value().token;
    bob_token = authorizations.create(bob.id, "bob", {"global"}, {}).value().token;
    releases.append_first(sushi.id, ada.id);
    write_known_buildpacks(scratch.path / "buildpacks");
  }

  using Fields = std::vector<std::pair<std::string, std::string>>;

  http::Request request(const std::string& method, const std::string& target, std::string body = "",
                        const Fields& fields = {}) {
    http::Request made;
    made.method = method;
    made.target = target;
    const auto [path, query] = text::split_once(target, '?');
    made.path = path;
    made.query = query;
    made.body = std::move(body);
    made.peer = "127.0.0.1:51234";
    made.id = new_uuid();
    made.headers.set("Host", "paas.example.com:7373");
    made.headers.set("Accept", "application/vnd.heroku+json; version=3");
    made.headers.set("Authorization", "Bearer " + ada_token);
    for (const auto& [name, value] : fields) {
      if (value.empty()) made.headers.remove(name);
      if (!value.empty()) made.headers.set(name, value);
    }
    return made;
  }
  http::Response send(const std::string& method, const std::string& target, std::string body = "",
                      const Fields& fields = {}) {
    auto made = request(method, target, std::move(body), fields);
    auto response = api.handle(made);
    for (const auto& flaw : own_schema.flaws(method, made.path, response))
      ADD_FAILURE() << method << " " << made.path << ": " << flaw;
    return response;
  }
  http::Response put(const std::string& url, std::vector<std::string> pieces) {
    auto made = request("PUT", path_of(url), "", {{"Authorization", ""}});
    made.stream = std::make_shared<Pieces>(std::move(pieces));
    return api.handle(made);
  }
  Fields as_bob() { return {{"Authorization", "Bearer " + bob_token}}; }

  // The JSON of an answer, which must have this status.
  boost::json::value json(const http::Response& response, int status = 200) {
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_EQ(response.headers.value_or("Content-Type", ""), "application/json");
    boost::system::error_code error;
    auto value = boost::json::parse(response.body, error);
    EXPECT_FALSE(error) << response.body;
    return value;
  }
  boost::json::value get(const std::string& target) { return json(send("GET", target)); }

  // The answer is this error, with a sentence behind it.
  void expect_error(const http::Response& response, int status, std::string_view id) {
    const auto value = json(response, status);
    ASSERT_TRUE(value.is_object()) << response.body;
    EXPECT_EQ(value.at("id").as_string(), id) << response.body;
    const std::string message = value.at("message").as_string().c_str();
    EXPECT_GT(message.size(), 10U);
    // Scripts look for Heroku's own words here, which have no full stop.
    EXPECT_TRUE(message.ends_with('.') || message.ends_with("is already taken")) << message;
  }

  // The value, or each of an array, has what Heroku's schema says of this resource.
  void expect_fits(std::string_view resource, const boost::json::value& value) {
    if (value.is_array()) {
      EXPECT_FALSE(value.as_array().empty()) << resource;
      for (const auto& element : value.as_array()) expect_fits(resource, element);
      return;
    }
    for (const auto& flaw : schema.flaws(resource, value)) ADD_FAILURE() << flaw;
  }

  static std::string path_of(const std::string& url) {
    return url.substr(url.find('/', url.find("://") + 3));
  }
  static std::string text_at(const boost::json::value& value, std::string_view key) {
    return value.at(key).as_string().c_str();
  }

  // What a push would leave: a slug, its release, the formation, and dynos.
  releases::Release deploy(releases::ProcessTypes types = {{"web", "bin/web"},
                                                           {"worker", "bin/work"}}) {
    const auto directory = scratch.path / fmt::format("build-{}", ++slugs_made);
    releases::write_file(directory / "hello.txt", fmt::format("hello {}", slugs_made));
    const auto slug = slugs
                          .create({.app = sushi.id,
                                   .stack = "host",
                                   .commit = "e6442b7c0a",
                                   .commit_description = "Hello",
                                   .buildpack_provided_description = "Python",
                                   .process_types = types},
                                  directory)
                          .value();
    const auto release = releases.append(sushi.id, {.description = "Deploy e6442b7c",
                                                    .user = ada.id,
                                                    .slug = slug.id,
                                                    .config = {},
                                                    .deploy = true});
    formation.follow(sushi.id, types);
    engine.apply(reconciler.spec_of(sushi, release));
    return release;
  }
  std::string log() {
    logs.settle();
    std::string all;
    for (const auto& placed : logs.last(sushi.id, {}, 1'500)) all += format(placed.line) + "\n";
    return all;
  }

  SchemaCheck schema;
  OwnSchema own_schema;
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
  std::string ada_token, bob_token;
};

}  // namespace renga::api
