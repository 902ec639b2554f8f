#include "api/testing/world.h"

namespace renga::api {
namespace {

class PipelinesApi : public World {
 protected:
  std::string make(const std::string& name = "food") {
    return text_at(json(send("POST", "/pipelines", fmt::format(R"({{"name":"{}"}})", name)), 201),
                   "id");
  }
  boost::json::value couple(const std::string& app, const std::string& stage) {
    return json(send("POST", "/pipeline-couplings",
                     fmt::format(R"({{"app":"{}","pipeline":"food","stage":"{}"}})", app, stage)),
                201);
  }
  apps::App maki() {
    auto app = apps.create(ada, {"maki", ""}).value();
    releases.append_first(app.id, ada.id);
    return app;
  }
};

TEST_F(PipelinesApi, LiveAndDie) {
  const auto id = make();
  expect_fits("pipeline", get("/pipelines"));
  expect_fits("pipeline", get("/pipelines/" + id));
  EXPECT_EQ(get("/pipelines?eq[name]=food").as_array().size(), 1U);
  EXPECT_EQ(get("/pipelines?eq%5Bname%5D=nothing").as_array().size(), 0U);
  EXPECT_EQ(text_at(json(send("PATCH", "/pipelines/food", R"({"name":"meals"})")), "name"),
            "meals");
  expect_error(send("POST", "/pipelines", R"({"name":"meals"})"), 422, "invalid_params");
  expect_error(send("POST", "/pipelines", R"({"name":"x"})"), 422, "invalid_params");
  expect_error(send("POST", "/pipelines", R"({})"), 422, "invalid_params");
  expect_error(send("GET", "/pipelines/meals", "", as_bob()), 404, "not_found");
  json(send("DELETE", "/pipelines/" + id, R"({"name":"meals"})"));
  expect_error(send("GET", "/pipelines/meals"), 404, "not_found");
}

TEST_F(PipelinesApi, CoupleApps) {
  const auto id = make();
  const auto coupling = couple("sushi", "staging");
  expect_fits("pipeline-coupling", coupling);
  for (const auto* path : {"/pipeline-couplings", "/users/~/pipeline-couplings",
                           "/apps/sushi/pipeline-couplings", "/pipelines/food/pipeline-couplings"})
    expect_fits("pipeline-coupling", get(path));
  const auto path = "/pipeline-couplings/" + text_at(coupling, "id");
  expect_fits("pipeline-coupling", get(path));
  expect_error(send("POST", "/pipeline-couplings",
                    R"({"app":"sushi","pipeline":"food","stage":"production"})"),
               422, "invalid_params");
  expect_error(send("PATCH", path, R"({"stage":"heaven"})"), 422, "invalid_params");
  EXPECT_EQ(text_at(json(send("PATCH", path, R"({"stage":"development"})")), "stage"),
            "development");
  expect_error(send("GET", path, "", as_bob()), 404, "not_found");
  expect_error(send("DELETE", path, "", as_bob()), 404, "not_found");
  expect_fits("pipeline-stack", get("/pipelines/food/pipeline-stack"));
  json(send("DELETE", path));
  expect_error(send("GET", "/apps/sushi/pipeline-couplings"), 404, "not_found");
}

TEST_F(PipelinesApi, PromoteASlug) {
  const auto id = make();
  const auto target = maki();
  couple("sushi", "staging");
  couple("maki", "production");
  const auto body = fmt::format(
      R"({{"pipeline":{{"id":"{}"}},"source":{{"app":{{"id":"{}"}}}},"targets":[{{"app":{{"id":"{}"}}}}]}})",
      id, sushi.id.value, target.id.value);
  expect_error(send("POST", "/pipeline-promotions", body), 422, "invalid_params");
  const auto release = deploy();
  expect_error(send("POST", "/pipeline-promotions", body, as_bob()), 404, "not_found");
  const auto promotion = json(send("POST", "/pipeline-promotions", body), 201);
  expect_fits("pipeline-promotion", promotion);
  const auto path = "/pipeline-promotions/" + text_at(promotion, "id");
  expect_fits("pipeline-promotion", get(path));
  expect_fits("pipeline-promotion-target", get(path + "/promotion-targets"));
  expect_error(send("GET", path, "", as_bob()), 404, "not_found");
  EXPECT_EQ(releases.current(target.id).slug, release.slug);

  // The schema says of both lists that they are of releases.
  expect_fits("release", get("/pipelines/food/latest-releases"));
  ASSERT_TRUE(releases.set_config(target.id, ada.id, {{"A", "1"}}));
  const auto deployments = get("/pipelines/food/latest-deployments");
  expect_fits("release", deployments);
  ASSERT_EQ(deployments.as_array().size(), 2U);
  EXPECT_EQ(text_at(deployments.as_array()[1], "description"), "Promote sushi v3 e6442b7c");
  EXPECT_TRUE(get("/pipelines/food/latest-builds").as_array().empty());

  for (const auto* wrong :
       {"{}", R"({"pipeline":"food","source":{},"targets":[]})",
        R"({"pipeline":"food","source":{"app":"sushi"},"targets":[7]})",
        R"({"pipeline":"food","source":{"app":"sushi"},"targets":[]})",
        R"({"pipeline":"food","source":{"app":"sushi"},"targets":[{"app":"sushi"}]})"})
    expect_error(send("POST", "/pipeline-promotions", wrong), 422, "invalid_params");
}

TEST_F(PipelinesApi, KeepConfigVarsOfStages) {
  make();
  const auto path = "/pipelines/food/stage/test/config-vars";
  EXPECT_EQ(json(send("PATCH", path, R"({"A":"1","B":null})")), boost::json::parse(R"({"A":"1"})"));
  EXPECT_EQ(get(path), boost::json::parse(R"({"A":"1"})"));
  expect_error(send("PATCH", path, R"({"A":1})"), 422, "invalid_params");
  expect_error(send("GET", "/pipelines/food/stage/production/config-vars"), 404, "not_found");
  expect_error(send("GET", path, "", as_bob()), 404, "not_found");
}

TEST_F(PipelinesApi, ChangeHands) {
  make();
  couple("sushi", "staging");
  const auto body =
      fmt::format(R"({{"pipeline":{{"id":"{}"}},"new_owner":{{"id":"{}","type":"user"}}}})",
                  text_at(get("/pipelines/food"), "id"), bob.id.value);
  expect_fits("pipeline-transfer", json(send("POST", "/pipeline-transfers", body), 201));
  EXPECT_EQ(text_at(get("/apps/sushi").at("owner"), "email"), "bob@example.com");
  expect_error(send("PATCH", "/pipelines/food", R"({"name":"mine"})"), 403, "forbidden");
  expect_error(send("POST", "/pipeline-transfers", body), 403, "forbidden");
}

}  // namespace
}  // namespace renga::api
