// Formation, dynos and their sizes, and log sessions.
#include <gmock/gmock.h>

#include "api/testing/world.h"

namespace renga::api {
namespace {

using testing::HasSubstr;
using DynosTest = World;

TEST_F(DynosTest, ScalesWithNumbersTextAndDifferences) {
  deploy();
  const auto scaled = json(send(
      "PATCH", "/apps/sushi/formation",
      R"({"updates": [{"type": "web", "quantity": "2"}, {"type": "worker", "quantity": 1, "size": "standard-2x"}]})"));
  expect_fits("formation", scaled);
  ASSERT_EQ(scaled.as_array().size(), 2U);
  EXPECT_EQ(scaled.at(1).at("size").as_string(), "Standard-2X");
  EXPECT_EQ(json(send("PATCH", "/apps/sushi/formation",
                      R"({"updates": [{"type": "web", "quantity": "+1"}]})"))
                .at(0)
                .at("quantity")
                .as_int64(),
            3);
  EXPECT_EQ(json(send("PATCH", "/apps/sushi/formation/web", R"({"quantity": 1})"))
                .at("quantity")
                .as_int64(),
            1);
  expect_fits("formation", get("/apps/sushi/formation"));
  expect_fits("formation", get("/apps/sushi/formation/worker"));
  EXPECT_THAT(
      log(),
      HasSubstr(
          "app[api]: Scaled to web@2:Standard-1X worker@1:Standard-2X by user ada@example.com"));
}

TEST_F(DynosTest, RefusesWhatCannotBeScaled) {
  deploy();
  const auto refused = [&](const std::string& update) {
    return send("PATCH", "/apps/sushi/formation", "{\"updates\": [" + update + "]}");
  };
  expect_error(refused(R"({"type": "clock", "quantity": 1})"), 404, "not_found");
  for (const auto* update :
       {R"({"type": "web", "quantity": "many"})", R"({"type": "web", "quantity": -1})",
        R"({"type": "web", "quantity": 1.5})", R"({"type": "web", "quantity": 1000})",
        R"({"type": "web", "size": "huge"})", R"({"type": "web"})", R"({"quantity": 1})", "3"})
    expect_error(refused(update), 422, "invalid_params");
  expect_error(refused(R"({"type": "web", "docker_image": "x"})"), 422, "unsupported");
  expect_error(send("PATCH", "/apps/sushi/formation", "{}"), 422, "invalid_params");
}

TEST_F(DynosTest, ListsWhatRuns) {
  EXPECT_EQ(get("/apps/sushi/dynos").as_array().size(), 0U);
  deploy();
  const auto dynos = get("/apps/sushi/dynos");
  expect_fits("dyno", dynos);
  EXPECT_EQ(text_at(dynos.at(0), "name"), "web.1");
  EXPECT_EQ(text_at(dynos.at(0), "state"), "up");
  expect_fits("dyno", get("/apps/sushi/dynos/web.1"));
  EXPECT_EQ(get("/apps/sushi/dynos/" + text_at(dynos.at(0), "id")), dynos.at(0));
  expect_error(send("GET", "/apps/sushi/dynos/web.9"), 404, "not_found");
}

TEST_F(DynosTest, RestartsAndStops) {
  deploy();
  const auto id = [&] { return text_at(get("/apps/sushi/dynos/web.1"), "id"); };
  for (const auto& [method, path] : std::vector<std::pair<std::string, std::string>>{
           {"DELETE", "/apps/sushi/dynos"},
           {"DELETE", "/apps/sushi/dynos/web.1"},
           {"DELETE", "/apps/sushi/formations/web"},
           {"POST", "/apps/sushi/dynos/web.1/actions/stop"},
           {"POST", "/apps/sushi/formations/web/actions/stop"}}) {
    const auto before = id();
    EXPECT_EQ(boost::json::serialize(json(send(method, path), 202)), "{}");
    EXPECT_NE(id(), before) << method << " " << path;
  }
  expect_error(send("DELETE", "/apps/sushi/formations/clock"), 404, "not_found");
  expect_error(send("DELETE", "/apps/sushi/dynos/web.9"), 404, "not_found");
}

TEST_F(DynosTest, RunsDetachedOneOffs) {
  expect_error(send("POST", "/apps/sushi/dynos", R"({"command": "bash"})"), 409, "conflict");
  deploy();
  const auto dyno = json(
      send("POST", "/apps/sushi/dynos",
           R"({"command": "worker --once", "env": {"COLUMNS": 80, "A": "b"}, "time_to_live": 60})"),
      201);
  expect_fits("dyno", dyno);
  EXPECT_EQ(text_at(dyno, "command"), "bin/work --once");
  EXPECT_EQ(text_at(dyno, "type"), "run");
  ASSERT_EQ(engine.ran().size(), 1U);
  EXPECT_EQ(engine.ran()[0].env.at("COLUMNS"), "80");
  EXPECT_EQ(engine.ran()[0].time_to_live, std::chrono::seconds(60));
  EXPECT_THAT(log(),
              HasSubstr("Starting process with command `bin/work --once` by user ada@example.com"));
  json(send("POST", "/apps/sushi/dynos/" + text_at(dyno, "name") + "/actions/stop"), 202);
  EXPECT_EQ(get("/apps/sushi/dynos/" + text_at(dyno, "id")).at("exit_status").as_int64(), 143);
}

TEST_F(DynosTest, RefusesOneOffsThatCannotBe) {
  deploy();
  for (const auto* body :
       {"{}", R"({"command": ""})", R"({"command": "x", "type": "web"})",
        R"({"command": "x", "type": "a b"})", R"({"command": "x", "size": "huge"})",
        R"({"command": "x", "time_to_live": 100000})", R"({"command": "x", "env": {"A=": "1"}})",
        R"({"command": "x", "env": {"A": []}})", R"({"command": ["x"]})",
        R"({"command": "a\u0000b"})", R"({"command": "x", "env": {"A": "\u0000"}})"})
    expect_error(send("POST", "/apps/sushi/dynos", body), 422, "invalid_params");
  // The kernel would refuse it inside the dyno.
  const auto too_long = fmt::format(R"({{"command": "{}"}})", std::string(65'537, 'x'));
  expect_error(send("POST", "/apps/sushi/dynos", too_long), 422, "invalid_params");
  EXPECT_TRUE(engine.ran().empty());
}

TEST_F(DynosTest, RunsACommandInsideADynoThatIsUp) {
  deploy();
  const auto made = send("POST", "/apps/sushi/dynos/web.1", R"({"command": "bash"})");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_NE(made.body.find(R"("attach_url": "rendezvous:)"), std::string::npos) << made.body;
  for (const auto* body :
       {"{}", R"({"command": ""})", R"({"command": ["x"]})", R"({"forward_port": 0})",
        R"({"forward_port": 70000})", R"({"command": "a\u0000b"})"})
    expect_error(send("POST", "/apps/sushi/dynos/web.1", body), 422, "invalid_params");
  expect_error(send("POST", "/apps/sushi/dynos/web.9", R"({"command": "bash"})"), 404, "not_found");
}

TEST_F(DynosTest, AttachedOneOffsSayWhereToMeet) {
  deploy();
  const auto made = send("POST", "/apps/sushi/dynos",
                         R"({"command": "bash", "attach": true, "env": {"COLUMNS": 90}})");
  EXPECT_NE(made.body.find(R"("state": "starting")"), std::string::npos) << made.body;
  EXPECT_NE(made.body.find(R"("attach_url": "rendezvous:)"), std::string::npos) << made.body;
  ASSERT_EQ(engine.ran().size(), 1U);
  EXPECT_TRUE(engine.ran().front().attached);
}

TEST_F(DynosTest, ListsSizes) {
  expect_fits("dyno-size", get("/dyno-sizes"));
  expect_fits("dyno-size", get("/dyno-sizes/standard-1x"));
  expect_fits("dyno-size", get("/apps/sushi/available-dyno-sizes"));
  expect_error(send("GET", "/dyno-sizes/huge"), 404, "not_found");
}

TEST_F(DynosTest, OpensLogSessions) {
  send("PATCH", "/apps/sushi/config-vars", R"({"A": "1"})");
  logs.settle();
  const auto session = json(
      send("POST", "/apps/sushi/log-sessions", R"({"lines": 10, "source": "app", "dyno": "api"})"),
      201);
  expect_fits("log-session", session);
  const auto url = text_at(session, "logplex_url");
  EXPECT_TRUE(url.starts_with("http://paas.example.com:7373/log-sessions/")) << url;
  const auto opened =
      send("GET", path_of(url), "", {{"Authorization", ""}, {"Accept", "text/event-stream"}});
  EXPECT_EQ(opened.status, 200);
  EXPECT_THAT(std::string(opened.headers.value_or("Content-Type", "")),
              HasSubstr("text/event-stream"));
  EXPECT_EQ(send("GET", "/log-sessions/unknown").status, 404);
  expect_error(send("POST", "/apps/sushi/log-sessions", R"({"lines": -1})"), 422, "invalid_params");
  expect_error(send("POST", "/apps/sushi/log-sessions", R"({"tail": "yes"})"), 422,
               "invalid_params");
}

}  // namespace
}  // namespace renga::api
