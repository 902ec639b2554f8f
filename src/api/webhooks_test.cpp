// Webhooks of apps and of add-ons, what becomes news for them, and the log drains of providers.
#include <gmock/gmock.h>

#include "api/testing/world.h"
#include "webhooks/courier.h"
#include "webhooks/testing/fake_sender.h"

namespace renga::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* tank = R"({"id": "tank", "name": "Tank",
  "api": {"config_vars": ["TANK_URL"], "requires": ["many_per_app", "attachable", "syslog_drain"],
          "production": {"base_url": "https://tank.example/x", "sso_url": "https://tank.example/sso"}}})";

class WebhooksApiTest : public World {
 protected:
  WebhooksApiTest() {
    provider.config = {{"TANK_URL", "tank://one"}};
    service =
        marketplace.catalog.put(addons::Manifest::parse(tank).value()).value().service.id.value;
    releases.on_change([this](const auto& release) { api.release_changed(release); });
  }
  boost::json::value add(const std::string& at, const std::string& include,
                         const Fields& who = {}) {
    return json(
        send("POST", at,
             R"({"url": "https://hooks.example.com", "level": "sync", "include": )" + include + "}",
             who),
        201);
  }
  // "api:app update", in order, of all that was delivered now.
  std::vector<std::string> heard() {
    sender.posts.clear();
    clock.advance(std::chrono::seconds(1));
    webhooks::Courier(webhooks, clock, sender).work();
    std::vector<std::string> all;
    for (const auto& post : sender.posts) {
      const auto body = boost::json::parse(post.body);
      all.push_back(text_at(body.at("webhook_metadata").at("event"), "include") + " " +
                    text_at(body, "action"));
    }
    return all;
  }
  boost::json::value last() { return boost::json::parse(sender.posts.back().body); }

  std::string service;
  webhooks::FakeSender sender;
};

TEST_F(WebhooksApiTest, AreAddedLookedAtAndRemovedAsHerokuDoes) {
  const auto made = send("POST", "/apps/sushi/webhooks",
                         R"({"url": "https://h.example.com", "level": "notify",
                             "include": ["api:release"], "secret": null})");
  const auto webhook = json(made, 201);
  EXPECT_EQ(made.headers.value_or("Heroku-Webhook-Secret", "").size(), 64u);
  const auto at = "/apps/sushi/webhooks/" + text_at(webhook, "id");
  EXPECT_EQ(get(at), webhook);
  EXPECT_EQ(get("/apps/sushi/webhooks").as_array().size(), 1u);
  EXPECT_EQ(text_at(json(send("PATCH", at, R"({"level": "sync"})")), "level"), "sync");

  deploy();
  EXPECT_THAT(heard(), ElementsAre("api:release create"));
  const auto delivery = get("/apps/sushi/webhook-deliveries").at(0);
  expect_fits("app-webhook-delivery", delivery);
  EXPECT_EQ(text_at(delivery, "status"), "succeeded");
  EXPECT_EQ(json(send("GET", "/apps/sushi/webhook-deliveries", "",
                      {{"Range", "seq ..; order=desc,max=1000"}}))
                .as_array()
                .size(),
            1u);
  EXPECT_EQ(get("/apps/sushi/webhook-deliveries/" + text_at(delivery, "id")), delivery);
  EXPECT_TRUE(get("/apps/sushi/webhook-deliveries?eq[status]=failed").as_array().empty());
  const auto event = get("/apps/sushi/webhook-events/" + text_at(delivery.at("event"), "id"));
  expect_fits("app-webhook-event", event);
  EXPECT_EQ(event.at("payload").at("data").at("version"), 3);
  EXPECT_EQ(event.at("payload").at("actor").at("email"), "ada@example.com");
  EXPECT_EQ(last().at("data"), event.at("payload").at("data"));

  expect_error(send("GET", at, "", as_bob()), 404, "not_found");
  json(send("DELETE", at));
  expect_error(send("GET", at), 404, "not_found");
  for (const auto* body : {R"({"url": "https://h", "level": "sync"})", R"({"include": 5})",
                           R"({"url": "x", "level": "sync", "include": ["dyno"]})",
                           R"({"url": "https://h", "level": "sync", "include": [1]})"})
    EXPECT_GE(send("POST", "/apps/sushi/webhooks", body).status, 400) << body;
}

TEST_F(WebhooksApiTest, HearWhatCallsDo) {
  add("/apps/sushi/webhooks",
      R"(["api:app", "api:addon", "api:addon-attachment", "api:domain", "api:collaborator",
          "api:formation", "api:release"])");
  deploy();
  json(send("PATCH", "/apps/sushi", R"({"maintenance": true})"));
  json(
      send("POST", "/apps/sushi/domains", R"({"hostname": "w.example.com", "sni_endpoint": null})"),
      201);
  json(send("PATCH", "/apps/sushi/formation", R"({"updates": [{"type": "web", "quantity": 2},
                                                              {"type": "worker", "quantity": 1}]})"));
  json(send("POST", "/apps/sushi/collaborators", R"({"user": "bob@example.com"})"), 201);
  EXPECT_THAT(heard(), ElementsAre("api:release create", "api:app update", "api:domain create",
                                   "api:formation update", "api:formation update",
                                   "api:collaborator create"));
  expect_fits("collaborator", last().at("data"));

  json(send("POST", "/apps/sushi/addons", R"({"plan": "tank", "name": "t1"})"), 201);
  const auto news = heard();
  EXPECT_THAT(news, testing::Contains("api:addon create"));
  // With the owner's web_url, whoever gets it would be signed on to the dashboard.
  for (const auto& post : sender.posts) EXPECT_THAT(post.body, Not(HasSubstr("/sso/")));
  send("GET", "/apps/sushi/addons", "");
  json(send("POST", "/addon-attachments", R"({"addon": "t1", "app": "sushi", "name": "CACHE"})"),
       201);
  json(send("DELETE", "/apps/sushi/domains/w.example.com"));
  EXPECT_THAT(heard(),
              testing::IsSupersetOf({"api:addon-attachment create", "api:domain destroy"}));
  expect_error(send("DELETE", "/apps/sushi/domains/w.example.com"), 404, "not_found");
  EXPECT_THAT(heard(), ElementsAre()) << "what was refused is no news";

  json(send("DELETE", "/apps/sushi"));
  EXPECT_THAT(heard(), ElementsAre("api:app destroy"));
  EXPECT_FALSE(webhooks.any());
}

TEST_F(WebhooksApiTest, OfAnAddOnAreItsProvidersAndGoWithIt) {
  const auto addon = json(send("POST", "/apps/sushi/addons", R"({"plan": "tank"})"), 201);
  const auto who = as_provider_of(service);
  const auto at = "/addons/" + text_at(addon, "id") + "/webhooks";
  const auto made = add(at, R"(["api:app", "api:addon"])", who);
  EXPECT_EQ(made.at("addon").at("name"), addon.at("name"));
  expect_error(send("POST", at, "{}"), 403, "forbidden");
  json(send("PATCH", "/apps/sushi", R"({"maintenance": true})"));
  EXPECT_THAT(heard(), ElementsAre("api:app update"));
  EXPECT_EQ(json(send("GET", "/addons/" + text_at(addon, "id") + "/webhook-events", "", who))
                .as_array()
                .size(),
            1u);
  json(send("DELETE", "/apps/sushi/addons/" + text_at(addon, "id"), R"({"force": false})"));
  EXPECT_THAT(heard(), ElementsAre("api:addon destroy"));
  EXPECT_FALSE(webhooks.any());
}

TEST_F(WebhooksApiTest, BothGoWithTheApp) {
  const auto addon = json(send("POST", "/apps/sushi/addons", R"({"plan": "tank"})"), 201);
  add("/addons/" + text_at(addon, "id") + "/webhooks", R"(["api:app"])", as_provider_of(service));
  add("/apps/sushi/webhooks", R"(["api:app"])");
  json(send("DELETE", "/apps/sushi"));
  EXPECT_THAT(heard(), ElementsAre("api:app destroy", "api:app destroy"));
  EXPECT_FALSE(webhooks.any());
}

TEST_F(WebhooksApiTest, AProviderHasTheLogOfItsApp) {
  const auto addon = json(send("POST", "/apps/sushi/addons", R"({"plan": "tank"})"), 201);
  const auto who = as_provider_of(service);
  const auto at = "/addons/" + text_at(addon, "id") + "/log-drains";
  const auto drain =
      json(send("POST", at, R"({"url": "https://u:secret@logs.example.com/in"})", who), 201);
  expect_fits("log-drain", drain);
  EXPECT_EQ(drain.at("addon").at("name"), addon.at("name"));
  expect_error(send("POST", at, R"({"url": "https://other.example.com"})"), 403, "forbidden");
  expect_error(send("POST", at, R"({"url": "ftp://x"})", who), 422, "invalid_params");
  EXPECT_EQ(get("/apps/sushi/log-drains").at(0), drain);
  EXPECT_THAT(send("GET", "/apps/sushi/log-drains").body, Not(HasSubstr("secret")));
  expect_error(send("DELETE", "/apps/sushi/log-drains/" + text_at(drain, "token")), 403,
               "forbidden");
  const auto one = at + "/" + text_at(drain, "token");
  EXPECT_EQ(json(send("GET", one, "", who)), drain);
  EXPECT_EQ(text_at(json(send("PUT", one, R"({"url": "https://moved.example.com"})", who)), "url"),
            "https://moved.example.com");
  json(send("DELETE", one, "", who));
  EXPECT_TRUE(json(send("GET", at, "", who)).as_array().empty());
  expect_error(send("PUT", one, R"({"url": "https://moved.example.com"})", who), 404, "not_found");
}

}  // namespace
}  // namespace renga::api
