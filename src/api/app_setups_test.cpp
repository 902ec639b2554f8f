#include "api/testing/world.h"
#include "os/process.h"

namespace renga::api {
namespace {

class AppSetupsApi : public World {
 protected:
  // The address of an uploaded source with this app.json.
  std::string source(const std::string& app_json) {
    const auto blob = json(send("POST", "/sources"), 201).at("source_blob");
    const auto directory = scratch.path / "source";
    releases::write_file(directory / "app.json", app_json);
    releases::write_file(directory / "Procfile", "web: x\n");
    const auto packed = os::run({.argv = {"tar", "-czf", "-", "-C", directory.string(), "."}});
    EXPECT_EQ(put(text_at(blob, "put_url"), {packed.out}).status, 200);
    return text_at(blob, "get_url");
  }
  http::Response set_up(const std::string& app_json, const std::string& env = "{}") {
    return send(
        "POST", "/app-setups",
        fmt::format(
            R"({{"source_blob":{{"url":"{}"}},"app":{{"name":"maki"}},"overrides":{{"env":{}}}}})",
            source(app_json), env));
  }
};

TEST_F(AppSetupsApi, MakeAnAppWithItsConfig) {
  const auto setup = json(set_up(R"({"env":{"A":"1"},"success_url":"/hi"})", R"({"B":"2"})"), 201);
  expect_fits("app-setup", setup);
  expect_fits("app-setup", get("/app-setups/" + text_at(setup, "id")));
  EXPECT_EQ(text_at(setup, "resolved_success_url"), "http://maki.localhost:8080/hi");
  EXPECT_EQ(get("/apps/maki/config-vars"), boost::json::parse(R"({"A":"1","B":"2"})"));
  expect_error(send("GET", "/app-setups/" + text_at(setup, "id"), "", as_bob()), 404, "not_found");
  expect_error(set_up("{}"), 422, "invalid_params");  // the name is taken
}

TEST_F(AppSetupsApi, RefuseBadManifestsAndBodies) {
  for (const auto* app_json :
       {"[]", R"({"env":{"A":{}}})", R"({"scripts":7})", R"({"addons":["heroku-fax:mini"]})"})
    expect_error(set_up(app_json), 422, "invalid_params");
  expect_error(set_up("{}", R"({"A":1})"), 422, "invalid_params");
  expect_error(send("POST", "/app-setups", "{}"), 422, "invalid_params");
  expect_error(send("GET", "/apps/maki"), 404, "not_found");
}

}  // namespace
}  // namespace renga::api
