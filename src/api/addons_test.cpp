#include <gmock/gmock.h>

#include "addons/own_services.h"
#include "api/testing/world.h"

namespace renga::api {
namespace {

using testing::HasSubstr;

constexpr const char* tank = R"({"id": "heroku-tank", "name": "Tank",
  "api": {"config_vars": ["HEROKU_TANK_URL"], "default_attachment_name": "TANK", "data_paths": ["/redis/v0/databases"],
          "requires": ["many_per_app", "attachable"],
          "production": {"base_url": "http://127.0.0.1:1/heroku/resources", "sso_url": "https://tank.example/sso?a=1&b"}},
  "plans": [{"name": "basic"}, {"name": "big", "price": {"cents": 900}}]})";

class AddonsApiTest : public World {
 protected:
  AddonsApiTest() {
    service =
        marketplace.catalog.put(addons::Manifest::parse(tank).value()).value().service.id.value;
  }
  boost::json::value create(const std::string& body = R"({"plan": {"name": "heroku-tank"}})") {
    return json(send("POST", "/apps/sushi/addons", body), 201);
  }
  std::string service;
};

TEST_F(AddonsApiTest, ShowsTheCatalog) {
  expect_fits("add-on-service", get("/addon-services"));
  expect_fits("add-on-service", get("/addon-services/heroku-tank"));
  expect_fits("plan", get("/addon-services/heroku-tank/plans"));
  expect_fits("plan", get("/plans/heroku-tank:big"));
  EXPECT_EQ(text_at(get("/plans/heroku-tank"), "name"), "heroku-tank:basic");
  expect_fits("plan", get("/addon-services/heroku-tank/plans/big"));
  expect_error(send("GET", "/plans/heroku-tank:huge"), 404, "not_found");
  expect_error(send("GET", "/addon-services/nothing"), 404, "not_found");
}

TEST_F(AddonsApiTest, OnlyAnAdministratorRegistersAndSecretsAreShownOnce) {
  expect_error(send("POST", "/addon-services", tank), 403, "forbidden");
  const auto root = people.create("root@example.com", "Root", true).value();
  const auto token = authorizations.create(root.id, "root", {"global"}, {}).value().token;
  const Fields as_root{{"Authorization", "Bearer " + token}};
  expect_error(send("POST", "/addon-services", "{}", as_root), 422, "invalid_params");
  auto other = text::replace_all(std::string(tank), "heroku-tank", "other");
  other = text::replace_all(other, "HEROKU_TANK", "OTHER");
  const auto ours = addons::scheduler_manifest();
  marketplace.catalog.put(ours).value();
  expect_error(send("POST", "/addon-services", ours.to_json(), as_root), 409, "conflict");
  expect_error(send("DELETE", "/addon-services/scheduler", "", as_root), 409, "conflict");
  const auto made = json(send("POST", "/addon-services", other, as_root), 201);
  EXPECT_EQ(made.at("secrets").as_object().size(), 3u);
  const auto again = json(send("POST", "/addon-services", other, as_root), 201);
  EXPECT_EQ(again.at("secrets").as_object().size(), 0u);
  const auto manifest = send("GET", "/addon-services/other/manifest", "", as_root);
  EXPECT_THAT(manifest.body, testing::Not(HasSubstr(text_at(made.at("secrets"), "password"))));
  json(send("DELETE", "/addon-services/other", "", as_root));
}

TEST_F(AddonsApiTest, CreatesChangesAndDestroys) {
  const auto addon = create(
      R"({"plan": "heroku-tank:basic", "name": "my-tank", "config": {"size": "1", "fast": true}})");
  expect_fits("add-on", addon);
  EXPECT_EQ(provider.last.options,
            (std::map<std::string, std::string>{{"fast", "true"}, {"size", "1"}}));
  EXPECT_EQ(text_at(addon, "state"), "provisioned");
  EXPECT_EQ(addon.at("config_vars"), boost::json::array{"TANK_URL"});
  expect_fits("add-on", get("/apps/sushi/addons"));
  expect_fits("add-on", get("/addons"));
  expect_fits("add-on", get("/addons/my-tank"));
  expect_fits("add-on", get("/apps/sushi/addons/TANK"));
  EXPECT_EQ(get("/apps/sushi/releases").as_array().back().at("addon_plan_names"),
            boost::json::array{"heroku-tank:basic"});
  expect_fits("release", get("/apps/sushi/releases"));

  const auto changed =
      json(send("PATCH", "/apps/sushi/addons/my-tank", R"({"plan": {"name": "heroku-tank:big"}})"));
  EXPECT_EQ(text_at(changed.at("plan"), "name"), "heroku-tank:big");
  EXPECT_EQ(
      text_at(json(send("PATCH", "/apps/sushi/addons/my-tank", R"({"name": "our-tank"})")), "name"),
      "our-tank");
  expect_error(send("PATCH", "/apps/sushi/addons/our-tank", R"({"plan": "huge"})"), 404,
               "not_found");

  expect_error(send("DELETE", "/apps/sushi/addons/our-tank", R"({"confirm": "maki"})"), 422,
               "invalid_params");
  EXPECT_EQ(
      text_at(json(send("DELETE", "/apps/sushi/addons/our-tank", R"({"force": false})")), "state"),
      "deprovisioned");
  EXPECT_TRUE(get("/apps/sushi/addons").as_array().empty());
  EXPECT_TRUE(get("/apps/sushi/config-vars").as_object().empty());
  EXPECT_EQ(text_at(get("/addons/our-tank"), "state"), "deprovisioned") << "who waits hears of it";
}

TEST_F(AddonsApiTest, OnlyTheFormerOwnerBringsBack) {
  json(send("POST", "/apps/sushi/collaborators", R"({"user": "bob@example.com"})"), 201);
  json(send("POST", "/apps", R"({"name": "bobs"})", as_bob()), 201);
  const auto made =
      json(send("POST", "/apps/sushi/addons", R"({"plan": "heroku-tank", "name": "t1"})", as_bob()),
           201);
  const auto url = "/addons/" + text_at(made, "id") + "/actions/undelete";
  expect_error(send("POST", url, "{}"), 404, "not_found");
  EXPECT_TRUE(get("/destroyed-addons").as_array().empty());
  json(send("DELETE", "/apps/sushi/addons/t1"));

  // Not who made it and works on the app, nor, once the app is gone, who has one of its name.
  const auto stranger_gets_nothing = [&] {
    EXPECT_TRUE(json(send("GET", "/destroyed-addons", "", as_bob())).as_array().empty());
    for (const auto* app : {"sushi", "bobs"})
      expect_error(send("POST", url, fmt::format(R"({{"app": "{}"}})", app), as_bob()), 404,
                   "not_found");
  };
  stranger_gets_nothing();
  expect_fits("add-on", get("/destroyed-addons"));
  expect_error(send("POST", url, R"({"app": "bobs"})"), 404, "not_found");
  json(send("DELETE", "/apps/sushi"));
  json(send("POST", "/apps", R"({"name": "sushi"})", as_bob()), 201);
  stranger_gets_nothing();
  expect_error(send("POST", url, "{}"), 404, "not_found");

  json(send("POST", "/apps", R"({"name": "maki"})"), 201);
  const auto back = json(send("POST", url, R"({"app": {"name": "maki"}})"));
  expect_fits("add-on", back);
  EXPECT_EQ(text_at(back, "state"), "provisioned");
  EXPECT_EQ(text_at(back.at("app"), "name"), "maki");
  EXPECT_TRUE(get("/destroyed-addons").as_array().empty());
}

TEST_F(AddonsApiTest, SaysWhatTheProviderSays) {
  provider.answers(422, "Tanks are sold out.");
  const auto refused = json(send("POST", "/apps/sushi/addons", R"({"plan": "heroku-tank"})"), 422);
  EXPECT_EQ(text_at(refused, "message"), "Tanks are sold out.");
  provider.answers(500);
  expect_error(send("POST", "/apps/sushi/addons", R"({"plan": "heroku-tank"})"), 503,
               "service_unavailable");
  expect_error(send("POST", "/apps/sushi/addons", R"({"plan": "heroku-tank:huge"})"), 404,
               "not_found");
  expect_error(send("POST", "/apps/sushi/addons", "{}"), 422, "invalid_params");
}

TEST_F(AddonsApiTest, AttachesAndAsksToConfirm) {
  const auto addon = create(R"({"plan": "heroku-tank", "name": "my-tank"})");
  const auto made =
      json(send("POST", "/addon-attachments",
                R"({"addon": {"name": "my-tank"}, "app": {"name": "sushi"}, "name": "CACHE"})"),
           201);
  expect_fits("add-on-attachment", made);
  expect_fits("add-on-attachment", get("/addon-attachments"));
  expect_fits("add-on-attachment", get("/apps/sushi/addon-attachments"));
  expect_fits("add-on-attachment", get("/addons/my-tank/addon-attachments"));
  const auto shown = json(send("GET", "/apps/sushi/addon-attachments/CACHE", "",
                               {{"Accept-Inclusion", "addon:plan,config_vars"}}));
  EXPECT_EQ(shown.at("config_vars"), boost::json::array{"CACHE_URL"});
  EXPECT_EQ(text_at(shown.at("addon").at("plan"), "name"), "heroku-tank:basic");

  create(R"({"plan": "heroku-tank", "name": "their-tank"})");
  const std::string wanted = R"({"addon": "their-tank", "app": "sushi", "name": "CACHE")";
  const auto asked = send("POST", "/addon-attachments", wanted + "}");
  expect_error(asked, 423, "confirmation_required");
  EXPECT_EQ(asked.headers.value_or("X-Confirmation-Required", ""), "sushi");
  json(send("POST", "/addon-attachments", wanted + R"(, "confirm": "sushi"})"), 201);
  expect_error(send("DELETE", "/addon-attachments/" + text_at(made, "id")), 404, "not_found");
}

TEST_F(AddonsApiTest, ResolvesWhatPeopleMean) {
  create(R"({"plan": "heroku-tank", "name": "my-tank"})");
  for (const auto* word : {"my-tank", "TANK", "TANK_URL", "heroku-tank", "sushi::TANK"}) {
    const auto found = json(send("POST", "/actions/addons/resolve",
                                 fmt::format(R"({{"addon": "{}", "app": "sushi"}})", word)));
    EXPECT_EQ(text_at(found.at(0), "name"), "my-tank") << word;
  }
  for (const auto* word : {"TANK", "TANK_URL", "my-tank"})
    expect_fits("add-on-attachment",
                json(send("POST", "/actions/addon-attachments/resolve",
                          fmt::format(R"({{"addon_attachment": "{}", "app": "sushi"}})", word))));
  EXPECT_EQ(
      text_at(
          json(send("POST", "/actions/addons/resolve", R"({"addon": "nope", "app": null})"), 404),
          "resource"),
      "add_on");
  EXPECT_EQ(text_at(json(send("POST", "/actions/addon-attachments/resolve",
                              R"({"addon_attachment": "nope", "app": "sushi"})"),
                         404),
                    "resource"),
            "add_on attachment");
  create(R"({"plan": "heroku-tank"})");
  expect_error(send("GET", "/apps/sushi/addons/heroku-tank"), 409, "conflict");
}

TEST_F(AddonsApiTest, StrangersSeeNothing) {
  create(R"({"plan": "heroku-tank", "name": "my-tank"})");
  for (const auto* path : {"/addons/my-tank", "/addons/my-tank/config", "/apps/sushi/addons",
                           "/addons/my-tank/addon-attachments", "/redis/v0/databases/my-tank"})
    expect_error(send("GET", path, "", as_bob()), 404, "not_found");
  EXPECT_TRUE(json(send("GET", "/addons", "", as_bob())).as_array().empty());
  EXPECT_TRUE(json(send("GET", "/addon-attachments", "", as_bob())).as_array().empty());
  EXPECT_EQ(json(send("POST", "/actions/addons/resolve", R"({"addon": "my-tank"})", as_bob()), 404)
                .at("id")
                .as_string(),
            "not_found");
  apps.create(bob, {"bobs", ""}).value();
  expect_error(
      send("POST", "/addon-attachments", R"({"addon": "my-tank", "app": "bobs"})", as_bob()), 404,
      "not_found");
}

TEST_F(AddonsApiTest, AProviderSeesItsOwnAddonAndNothingElse) {
  create(R"({"plan": "heroku-tank", "name": "other"})");
  provider.answers(202);
  const auto addon = create(R"({"plan": "heroku-tank", "name": "mine"})");
  const auto self = as_provider_of(service);
  const auto uuid = "/addons/" + text_at(addon, "id");
  expect_fits("add-on", json(send("GET", uuid, "", self)));
  expect_fits("add-on-attachment", json(send("GET", uuid + "/addon-attachments", "", self)));
  const auto set =
      json(send("PATCH", uuid + "/config",
                R"({"config": [{"name": "HEROKU_TANK_URL", "value": "tank://x"}]})", self));
  expect_fits("add-on-config", set);
  expect_error(
      send("PATCH", uuid + "/config", R"({"config": [{"name": "PATH", "value": "x"}]})", self), 422,
      "invalid_params");
  EXPECT_EQ(text_at(json(send("POST", uuid + "/actions/provision", "", self)), "state"),
            "provisioned");
  expect_fits("add-on", json(send("POST", uuid + "/actions/provision", "", self)));
  EXPECT_THAT(send("GET", "/apps/sushi/config-vars").body, HasSubstr("tank://x"));

  expect_error(send("GET", "/addons/other", "", self), 404, "not_found");
  expect_error(send("PATCH", "/addons/other/config", R"({"config": []})", self), 404, "not_found");
  for (const auto* path : {"/apps", "/account", "/addons", "/apps/sushi/config-vars"})
    expect_error(send("GET", path, "", self), 401, "unauthorized");
  expect_error(send("PATCH", uuid + "/config", R"({"config": []})"), 403, "forbidden");
  expect_error(send("POST", "/oauth/token", "grant_type=authorization_code&code=x&client_secret=y",
                    {{"Authorization", ""}}),
               401, "unauthorized");

  EXPECT_EQ(text_at(json(send("POST", uuid + "/actions/deprovision", "", self)), "state"),
            "deprovisioned");
  expect_error(send("GET", uuid, "", self), 401, "unauthorized");
}

TEST_F(AddonsApiTest, ShowsTheSchedulersJobsOnAPage) {
  marketplace.catalog.put(addons::scheduler_manifest()).value();
  provider.config = {};
  const auto addon = create(R"({"plan": "scheduler:standard", "name": "sched"})");
  const auto page = path_of(text_at(addon, "web_url"));
  EXPECT_EQ(path_of(text_at(get("/apps/sushi/addons/sched/sso"), "action")).substr(0, 5), "/sso/");
  const auto look = [&] { return send("GET", page, "", {{"Authorization", ""}}); };
  const auto ask = [&](const std::string& form) {
    return send("POST", page, form, {{"Authorization", ""}});
  };
  EXPECT_THAT(look().body, HasSubstr("Scheduled jobs of sushi"));
  const auto added =
      ask("do=add&command=echo+%3Cb%3E&schedule=daily+at+8%3A30&time_zone=UTC&overlap=skip");
  EXPECT_EQ(added.status, 303);
  EXPECT_EQ(added.headers.value_or("Location", ""), page);
  EXPECT_THAT(look().body, HasSubstr("<code>echo &lt;b&gt;</code><td>daily at 8:30 UTC"));
  const auto refused = ask("do=add&command=x&schedule=61+*+*+*+*&time_zone=UTC&overlap=skip");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("minute"));

  const auto job = jobs.all(sushi.id).at(0);
  EXPECT_EQ(ask("do=run&job=" + job.id.value).status, 303);
  EXPECT_EQ(jobs.runs(job).size(), 1U);
  EXPECT_THAT(look().body, HasSubstr(", waiting"));
  EXPECT_EQ(ask("do=remove&job=" + job.id.value).status, 303);
  EXPECT_TRUE(jobs.all(sushi.id).empty());
  EXPECT_EQ(ask("do=remove&job=" + job.id.value).status, 422);
  EXPECT_EQ(ask("").status, 422);
  EXPECT_EQ(ask("do=add&command=x&schedule=@daily&size=huge").status, 422);
  EXPECT_EQ(
      send("POST", page.substr(0, page.size() - 3) + "AAA", "", {{"Authorization", ""}}).status,
      404);
}

TEST_F(AddonsApiTest, SignsOnWithAPageThatNobodyCanMakeUp) {
  const auto addon = create(R"({"plan": "heroku-tank", "name": "my-tank"})");
  const auto page = path_of(text_at(addon, "web_url"));
  const auto shown = send("GET", page, "", {{"Authorization", ""}});
  EXPECT_EQ(shown.status, 200);
  EXPECT_THAT(shown.body, HasSubstr(R"(action="https://tank.example/sso?a=1&amp;b")"));
  EXPECT_THAT(shown.body, HasSubstr(R"(name="user_scoped_resource_token")"));
  EXPECT_EQ(
      send("GET", page.substr(0, page.size() - 3) + "AAA", "", {{"Authorization", ""}}).status,
      404);
  EXPECT_EQ(text_at(get("/apps/sushi/addons/my-tank/sso"), "method"), "post");
  clock.advance(std::chrono::hours(1));
  EXPECT_EQ(send("GET", page, "", {{"Authorization", ""}}).status, 404);
  const auto reader = authorizations.create(ada.id, "reader", {"read"}, {}).value().token;
  EXPECT_TRUE(json(send("GET", "/addons/my-tank", "", {{"Authorization", "Bearer " + reader}}))
                  .at("web_url")
                  .is_null());
}

TEST_F(AddonsApiTest, TheDataApiIsPassedOnOnlyWhereTheManifestSaysSo) {
  create(R"({"plan": "heroku-tank", "name": "my-tank"})");
  // Nobody listens at the provider's address.
  expect_error(send("GET", "/redis/v0/databases/my-tank"), 503, "service_unavailable");
  expect_error(send("POST", "/redis/v0/databases/my-tank/credentials_rotation"), 503,
               "service_unavailable");
  expect_error(send("GET", "/redis/v0/databases/my-tank/%2e%2e/other"), 400, "bad_request");
  expect_error(send("GET", "/client/v11/databases/my-tank"), 404, "not_found");
  expect_error(send("GET", "/client/v11/apps/sushi/transfers"), 404, "not_found");
}

TEST_F(AddonsApiTest, AnAppThatIsDestroyedTakesItsAddonsWithIt) {
  create();
  json(send("DELETE", "/apps/sushi"));
  marketplace.provisioner.work();
  EXPECT_TRUE(provider.resources.empty());
}

}  // namespace
}  // namespace renga::api
