// Builds and buildpacks: what the commands ask of the server, and what they show.
#include "cli/testing/cli_fixture.h"

namespace renga::cli {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* pending =
    R"({"id":"b1","status":"pending","output_stream_url":"http://localhost:7373/streams/s",
        "user":{"email":"ada@example.com"},"source_blob":{"version":"e6442b7c0a"},
        "buildpacks":[{"name":"heroku/python"}],"created_at":"2026-01-05T10:00:00Z"})";
constexpr const char* succeeded = R"({"id":"b1","status":"succeeded"})";
constexpr const char* installed =
    R"([{"ordinal":0,"buildpack":{"name":"heroku/nodejs"}},
        {"ordinal":1,"buildpack":{"name":"me/mine"}}])";

class BuildsCommands : public CliTest {
 protected:
  void SetUp() override {
    server.answers("POST /apps/sushi/sources",
                   R"({"source_blob":{"put_url":"http://localhost:7373/put","get_url":"the-url"}})",
                   201);
    server.answers("PUT /put", "{}");
    server.answers("POST /apps/sushi/builds", pending, 201);
    server.answers("GET /streams/s", "-----> Building\n");
    server.answers("GET /apps/sushi/builds/b1", succeeded);
    server.answers("GET /apps/sushi/buildpack-installations", installed);
    server.answers("PUT /apps/sushi/buildpack-installations", installed);
  }
};

TEST_F(BuildsCommands, DeployADirectory) {
  write("app/Procfile", "web: x\n");
  EXPECT_EQ(say("deploy app -a sushi"), 0) << terminal.said;
  EXPECT_EQ(terminal.shown, "-----> Building\n");
  const auto calls = server.calls();
  ASSERT_EQ(calls.size(), 6u);
  EXPECT_EQ(calls[0], "POST /apps/sushi/sources {}");
  EXPECT_THAT(calls[2], HasSubstr(R"(POST /apps/sushi/builds {"source_blob":{"url":"the-url",)"));
  EXPECT_THAT(calls[2], HasSubstr(R"("checksum":"SHA256:)"));
}

TEST_F(BuildsCommands, FailWithTheBuild) {
  server.answers("GET /apps/tuna/builds/b1", R"({"id":"b1","status":"failed"})");
  server.answers("POST /apps/tuna/builds", pending, 201);
  EXPECT_EQ(say("builds:create --source-url https://x/y.tgz -a tuna --buildpacks go,me/mine"), 1);
  EXPECT_EQ(server.calls().front(),
            R"(POST /apps/tuna/builds {"source_blob":{"url":"https://x/y.tgz"},)"
            R"("buildpacks":[{"url":"go"},{"url":"me/mine"}]})");
  EXPECT_NE(say("builds:create -a tuna"), 0);
  EXPECT_NE(say("deploy none -a sushi"), 0);
  EXPECT_THAT(terminal.said, HasSubstr("There is no directory"));
}

TEST_F(BuildsCommands, ShowBuilds) {
  server.answers("GET /apps/sushi/builds", std::string("[") + pending + "]");
  EXPECT_EQ(say("builds -a sushi"), 0);
  EXPECT_THAT(terminal.shown, HasSubstr("b1  pending  e6442b7c  ada@example.com  2026/01/05"));
  EXPECT_EQ(say("builds:info -a sushi"), 0);
  EXPECT_THAT(terminal.shown, HasSubstr("Buildpacks:  heroku/python\n"));
  EXPECT_EQ(say("builds:output -a sushi"), 0);
  EXPECT_EQ(terminal.shown, "-----> Building\n");
  server.answers("DELETE /apps/sushi/builds/b1", succeeded);
  EXPECT_EQ(say("builds:cancel -a sushi"), 0);
  server.answers("GET /apps/none/builds", "[]");
  EXPECT_NE(say("builds:info -a none"), 0);
  EXPECT_THAT(terminal.said, HasSubstr("none has no builds."));
}

TEST_F(BuildsCommands, ShowAndChooseTheStack) {
  server.answers("GET /stacks", R"([{"name":"debian-13"},{"name":"host"}])");
  server.answers("GET /apps/sushi",
                 R"({"name":"sushi","stack":{"name":"host"},"build_stack":{"name":"debian-13"}})");
  EXPECT_EQ(say("stack -a sushi"), 0) << terminal.said;
  EXPECT_EQ(terminal.shown, "  debian-13 (the next build's)\n* host\n");
  server.answers("PATCH /apps/sushi",
                 R"({"name":"sushi","stack":{"name":"host"},"build_stack":{"name":"debian-13"}})");
  EXPECT_EQ(say("stack:set debian-13 -a sushi"), 0) << terminal.said;
  EXPECT_EQ(server.calls().back(), R"(PATCH /apps/sushi {"build_stack":"debian-13"})");
  EXPECT_THAT(terminal.said, HasSubstr("redeploy sushi"));
  EXPECT_NE(say("stack:set -a sushi"), 0);
}

TEST_F(BuildsCommands, ChangeBuildpacksInTheirOrder) {
  const auto written = [&](const std::string& line) {
    EXPECT_EQ(say(line), 0) << terminal.said;
    return server.calls().back();
  };
  const auto put = [](const std::string& updates) {
    return "PUT /apps/sushi/buildpack-installations {\"updates\":[" + updates + "]}";
  };
  const std::string nodejs = R"({"buildpack":"heroku/nodejs"})",
                    mine = R"({"buildpack":"me/mine"})", apt = R"({"buildpack":"apt"})";
  EXPECT_EQ(written("buildpacks:add apt -a sushi"), put(nodejs + "," + mine + "," + apt));
  EXPECT_EQ(written("buildpacks:add apt -i 1 -a sushi"), put(apt + "," + nodejs + "," + mine));
  EXPECT_EQ(written("buildpacks:set apt -i 2 -a sushi"), put(nodejs + "," + apt));
  EXPECT_EQ(written("buildpacks:remove nodejs -a sushi"), put(mine));
  EXPECT_EQ(written("buildpacks:remove -i 2 -a sushi"), put(nodejs));
  for (const auto* wrong : {"buildpacks:remove none -a sushi", "buildpacks:remove -i 3 -a sushi",
                            "buildpacks:remove -a sushi", "buildpacks:add -a sushi"})
    EXPECT_NE(say(wrong), 0) << wrong;
}

}  // namespace
}  // namespace renga::cli
