#include <gmock/gmock.h>

#include <algorithm>

#include "api/testing/world.h"

namespace renga::api {
namespace {

using testing::HasSubstr;
using AppsTest = World;

TEST_F(AppsTest, CreatesAnAppWithItsFirstReleases) {
  const auto app = json(send("POST", "/apps", R"({"name": "maki", "region": "us"})"), 201);
  expect_fits("app", app);
  EXPECT_EQ(text_at(app, "web_url"), "http://maki.localhost:8080/");
  EXPECT_EQ(text_at(app, "git_url"), "https://paas.example.com:7373/maki.git");
  EXPECT_EQ(text_at(app.at("owner"), "email"), "ada@example.com");
  EXPECT_EQ(text_at(app.at("generation"), "name"), "cedar");
  EXPECT_EQ(get("/apps/maki/releases").as_array().size(), 2U);
  EXPECT_EQ(changed_apps.size(), 1U);
}

TEST_F(AppsTest, KeepsTheRegionThatItWasMadeIn) {
  const auto us = json(send("POST", "/apps", R"({"name": "maki", "region": "us"})"), 201);
  EXPECT_EQ(text_at(us.at("region"), "name"), "us");
  EXPECT_EQ(get("/apps/maki").at("region"), us.at("region"));
  const auto eu = text_at(get("/regions/eu"), "id");
  json(send("POST", "/apps", R"({"name": "nigiri", "region": {"id": ")" + eu + R"("}})"), 201);
  EXPECT_EQ(text_at(get("/apps/nigiri").at("region"), "name"), "eu");
  EXPECT_EQ(text_at(get("/apps/sushi").at("region"), "name"), "local");
  const auto listed = get("/apps");
  for (const auto& app : listed.as_array())
    expect_fits("region", get("/regions/" + text_at(app.at("region"), "id")));
}

TEST_F(AppsTest, MakesUpANameWithoutABody) {
  EXPECT_GT(text_at(json(send("POST", "/apps"), 201), "name").size(), 5U);
}

TEST_F(AppsTest, RefusesNamesThatAreTakenOrMalformed) {
  expect_error(send("POST", "/apps", R"({"name": "sushi"})"), 422, "invalid_params");
  for (const auto* name :
       {"Sushi", "1sushi", "a", "", "su_shi", "sushi-", "a-name-that-is-longer-than-thirty-is"})
    expect_error(send("POST", "/apps", fmt::format(R"({{"name": "{}"}})", name)), 422,
                 "invalid_params");
  expect_error(send("POST", "/apps", R"({"stack": "heroku-16"})"), 422, "invalid_params");
  expect_error(send("POST", "/apps", R"({"region": "mars"})"), 422, "invalid_params");
  EXPECT_EQ(get("/apps").as_array().size(), 1U);
}

TEST_F(AppsTest, FindsByNameAndId) {
  expect_fits("app", get("/apps/sushi"));
  EXPECT_EQ(get("/apps/" + sushi.id.value), get("/apps/sushi"));
  expect_fits("app", get("/users/~/apps"));
}

TEST_F(AppsTest, ListsThemPageByPageInEveryOrder) {
  for (const auto* name : {"maki", "natto", "unagi", "tempura", "ramen", "udon"})
    json(send("POST", "/apps", fmt::format(R"({{"name": "{}"}})", name)), 201);
  const auto whole = get("/apps");
  ASSERT_EQ(whole.as_array().size(), 7U);
  for (const std::string by : {"name", "id", "updated_at"})
    for (const std::string order : {"asc", "desc"}) {
      std::vector<std::string> found;
      auto range = fmt::format("{} ..; max=2, order={}", by, order);
      for (int pages = 0; !range.empty() && pages < 9; ++pages) {
        const auto answer = send("GET", "/apps", "", {{"Range", range}});
        range = answer.headers.value_or("Next-Range", "");
        EXPECT_EQ(answer.status, range.empty() ? 200 : 206);
        const auto page = json(answer, answer.status);
        for (const auto& app : page.as_array()) found.push_back(text_at(app, by));
      }
      std::vector<std::string> wanted;
      for (const auto& app : whole.as_array()) wanted.push_back(text_at(app, by));
      std::ranges::sort(wanted);
      if (order == "desc") std::ranges::reverse(wanted);
      EXPECT_EQ(found, wanted) << by << " " << order;
    }
  EXPECT_EQ(json(send("GET", "/apps", "", {{"Range", "name ]maki..ramen"}})).as_array().size(), 2U);
  EXPECT_EQ(json(send("GET", "/apps", "", {{"Range", "name z.."}})).as_array().size(), 0U);
  expect_error(send("GET", "/apps", "", {{"Range", "owner .."}}), 416,
               "requested_range_not_satisfiable");
}

TEST_F(AppsTest, HidesAppsFromStrangers) {
  expect_error(send("GET", "/apps/sushi", "", as_bob()), 404, "not_found");
  expect_error(send("DELETE", "/apps/sushi", "", as_bob()), 404, "not_found");
  EXPECT_EQ(json(send("GET", "/apps", "", as_bob())).as_array().size(), 0U);
}

TEST_F(AppsTest, RenamesAndGoesIntoMaintenance) {
  const auto app =
      json(send("PATCH", "/apps/sushi",
                R"({"name": "nigiri", "maintenance": true, "build_stack": "debian-13"})"));
  expect_fits("app", app);
  EXPECT_EQ(text_at(app, "name"), "nigiri");
  EXPECT_TRUE(app.at("maintenance").as_bool());
  EXPECT_FALSE(
      json(send("PATCH", "/apps/nigiri", R"({"maintenance": 0})")).at("maintenance").as_bool());
  expect_error(send("PATCH", "/apps/nigiri", R"({"maintenance": 2})"), 422, "invalid_params");
  EXPECT_EQ(text_at(app.at("build_stack"), "name"), "debian-13");
  EXPECT_THAT(log(), HasSubstr("app[api]: Maintenance mode enabled by user ada@example.com"));
  expect_error(send("PATCH", "/apps/nigiri", R"({"build_stack": "cobol"})"), 422, "invalid_params");
}

TEST_F(AppsTest, DestroysAnAppWithAllThatRuns) {
  deploy();
  ASSERT_FALSE(engine.dynos(sushi.id).empty());
  expect_fits("app", json(send("DELETE", "/apps/sushi")));
  EXPECT_TRUE(engine.dynos(sushi.id).empty());
  expect_error(send("GET", "/apps/sushi"), 404, "not_found");
  EXPECT_EQ(json(send("POST", "/apps", R"({"name": "sushi"})"), 201).at("name").as_string(),
            "sushi");
}

TEST_F(AppsTest, FiltersById) {
  const auto found =
      json(send("POST", "/filters/apps",
                fmt::format(R"({{"in": {{"id": ["{}", "{}"]}}}})", sushi.id.value, new_uuid())));
  ASSERT_EQ(found.as_array().size(), 1U);
  EXPECT_EQ(text_at(found.at(0), "name"), "sushi");
  expect_error(send("POST", "/filters/apps", "{}"), 422, "invalid_params");
}

TEST_F(AppsTest, AddsAndRemovesDomains) {
  const auto domain = json(send("POST", "/apps/sushi/domains",
                                R"({"hostname": "www.example.com", "sni_endpoint": null})"),
                           201);
  expect_fits("domain", domain);
  EXPECT_EQ(text_at(domain, "cname"), "sushi.localhost");
  expect_fits("domain", get("/apps/sushi/domains"));
  EXPECT_EQ(get("/apps/sushi/domains").as_array().size(), 2U);
  EXPECT_EQ(get("/apps/sushi/domains/www.example.com"), domain);
  EXPECT_EQ(text_at(json(send("GET", "/apps/sushi/domains", "", {{"Range", "domain ..;"}})).at(0),
                    "hostname"),
            "sushi.localhost");
  expect_error(send("POST", "/apps/sushi/domains", R"({"hostname": "www.example.com"})"), 422,
               "invalid_params");
  expect_error(send("POST", "/apps/sushi/domains", R"({"hostname": "no host"})"), 422,
               "invalid_params");
  expect_error(send("POST", "/apps/sushi/domains", "{}"), 422, "invalid_params");
  json(send("DELETE", "/apps/sushi/domains/www.example.com"));
  expect_error(send("GET", "/apps/sushi/domains/www.example.com"), 404, "not_found");
}

TEST_F(AppsTest, SharesWithCollaborators) {
  const auto added =
      json(send("POST", "/apps/sushi/collaborators", R"({"user": "bob@example.com"})"), 201);
  expect_fits("collaborator", added);
  EXPECT_EQ(json(send("GET", "/apps/sushi", "", as_bob())).at("name").as_string(), "sushi");
  expect_fits("collaborator", get("/apps/sushi/collaborators"));
  expect_fits("collaborator", get("/apps/sushi/collaborators/bob@example.com"));
  expect_error(send("DELETE", "/apps/sushi", "", as_bob()), 403, "forbidden");
  expect_error(send("POST", "/apps/sushi/collaborators", R"({"user": "nobody@example.com"})"), 422,
               "invalid_params");
  json(send("DELETE", "/apps/sushi/collaborators/bob%40example.com", "", as_bob()));
  expect_error(send("GET", "/apps/sushi", "", as_bob()), 404, "not_found");
}

TEST_F(AppsTest, SetsBuildpacks) {
  const auto set = json(send("PUT", "/apps/sushi/buildpack-installations",
                             R"({"updates": [{"buildpack": "heroku/python"}]})", {{"Range", " "}}));
  expect_fits("buildpack-installation", set);
  EXPECT_EQ(text_at(set.at(0).at("buildpack"), "url"), "urn:buildpack:heroku/python");
  EXPECT_EQ(get("/apps/sushi/buildpack-installations"), set);
  expect_error(send("PUT", "/apps/sushi/buildpack-installations", R"({"updates": [{}]})"), 422,
               "invalid_params");
  expect_error(send("PUT", "/apps/sushi/buildpack-installations", "{}"), 422, "invalid_params");
  EXPECT_EQ(text_at(json(send("GET", "/buildpacks/heroku%2Fpython", "", {{"Authorization", ""}})),
                    "blob_url"),
            "urn:buildpack:heroku/python");
  EXPECT_EQ(text_at(json(send("PUT", "/apps/sushi/buildpack-installations",
                              R"({"updates": [{"buildpack": "python"}]})"))
                        .at(0)
                        .at("buildpack"),
                    "name"),
            "heroku/python");
  expect_error(send("PUT", "/apps/sushi/buildpack-installations",
                    R"({"updates": [{"buildpack": "heroku/cobol"}]})"),
               422, "invalid_params");
  expect_error(
      send("PUT", "/apps/sushi/buildpack-installations", R"({"updates": [{"buildpack": "/etc"}]})"),
      403, "forbidden");
}

TEST_F(AppsTest, KnowsBuildpacksByTheirNames) {
  EXPECT_EQ(json(send("GET", "/buildpacks")).as_array().size(), 3u);
  const auto one = json(send("GET", "/buildpacks?in[namespace][]=heroku-community"));
  ASSERT_EQ(one.as_array().size(), 1u);
  EXPECT_EQ(text_at(one.at(0), "name"), "apt");
  EXPECT_EQ(json(send("GET", "/buildpacks?like[description]=PYTHON")).as_array().size(), 1u);
  EXPECT_EQ(json(send("GET", "/buildpacks/heroku%2Fpython/revisions")).as_array().size(), 1u);
  EXPECT_EQ(text_at(json(send("GET", "/buildpacks/heroku%2Fpython/readme")), "content"),
            "Python apps");
  EXPECT_EQ(text_at(json(send("GET", "/buildpacks/me%2Fmine")), "blob_url"),
            "urn:buildpack:me/mine");
  expect_error(send("GET", "/buildpacks/heroku%2Fcobol"), 404, "not_found");
}

TEST_F(AppsTest, TurnsFeatures) {
  expect_fits("app-feature", get("/apps/sushi/features"));
  EXPECT_TRUE(get("/apps/sushi/features/runtime-dyno-metadata").at("enabled").as_bool());
  const auto off = json(send("PATCH", "/apps/sushi/features/preboot", R"({"enabled": true})"));
  expect_fits("app-feature", off);
  EXPECT_TRUE(off.at("enabled").as_bool());
  expect_error(send("PATCH", "/apps/sushi/features/preboot", "{}"), 422, "invalid_params");
  expect_error(send("GET", "/apps/sushi/features/teleport"), 404, "not_found");
}

}  // namespace
}  // namespace renga::api
