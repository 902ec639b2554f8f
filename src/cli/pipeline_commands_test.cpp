// What the `pipelines` commands ask of the server, and what they show.
#include <fmt/format.h>

#include "cli/testing/cli_fixture.h"

namespace renga::cli {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;

class PipelineCommands : public CliTest {
 protected:
  PipelineCommands() {
    server.answers("GET /pipelines/food", R"({"id":"p1","name":"food"})");
    server.answers("GET /apps/sushi/pipeline-couplings", staging);
    server.answers(
        "GET /pipelines/p1/pipeline-couplings",
        fmt::format("[{},{},{}]", staging, production("maki", "a2"), production("nori", "a3")));
  }
  static std::string production(const std::string& name, const std::string& id) {
    return fmt::format(R"({{"id":"c{}","app":{{"id":"{}","name":"{}"}},"stage":"production"}})", id,
                       id, name);
  }
  static constexpr const char* staging =
      R"({"id":"c1","app":{"id":"a1","name":"sushi"},"pipeline":{"id":"p1","name":"food"},"stage":"staging"})";
};

TEST_F(PipelineCommands, GuessAPipelineAndAStageFromAName) {
  server.answers("GET /apps/sushi-staging", R"({"name":"sushi-staging","owner":{"id":"o1"}})");
  server.answers("POST /pipelines", R"({"id":"p1"})", 201);
  server.answers("POST /pipeline-couplings", "{}", 201);
  EXPECT_EQ(say("pipelines:create -a sushi-staging"), 0);
  EXPECT_THAT(
      server.calls(),
      ElementsAre(
          "GET /apps/sushi-staging",
          R"(POST /pipelines {"name":"sushi","owner":{"id":"o1","type":"user"}})",
          R"(POST /pipeline-couplings {"app":"sushi-staging","pipeline":"p1","stage":"staging"})"));
}

TEST_F(PipelineCommands, PromoteToTheNextStageAndFailWithOneTarget) {
  server.answers("POST /pipeline-promotions", R"({"id":"x1"})", 201);
  server.answers(
      "GET /pipeline-promotions/x1/promotion-targets",
      R"([{"app":{"id":"a2"},"status":"pending"},{"app":{"id":"a3"},"status":"pending"}])");
  server.answers("GET /pipeline-promotions/x1/promotion-targets",
                 R"([{"app":{"id":"a2"},"status":"succeeded","error_message":null},
                     {"app":{"id":"a3"},"status":"failed","error_message":"No."}])");
  EXPECT_EQ(say("pipelines:promote -a sushi"), 1);
  EXPECT_THAT(server.calls()[2],
              HasSubstr(R"("targets":[{"app":{"id":"a2"}},{"app":{"id":"a3"}}])"));
  EXPECT_EQ(terminal.shown, "maki:  succeeded\nnori:  failed     No.\n");
  EXPECT_THAT(terminal.said, HasSubstr("Promotion to some apps failed"));
}

TEST_F(PipelineCommands, PromoteToNamedAppsOnly) {
  EXPECT_EQ(say("pipelines:promote -a sushi --to tofu"), 5);
  EXPECT_THAT(terminal.said, HasSubstr("tofu is not in the pipeline food."));
  server.answers("POST /pipeline-promotions", R"({"id":"x1"})", 201);
  server.answers("GET /pipeline-promotions/x1/promotion-targets",
                 R"([{"app":{"id":"a3"},"status":"succeeded"}])");
  EXPECT_EQ(say("pipelines:promote -a sushi --to nori, --release v3"), 0);
  EXPECT_THAT(server.calls()[2],
              HasSubstr(R"("release":{"id":"v3"}},"targets":[{"app":{"id":"a3"}}])"));
}

TEST_F(PipelineCommands, ShowWhatAReleaseCommandSaidThatHasEndedAlready) {
  server.answers("POST /pipeline-promotions", R"({"id":"x1"})", 201);
  for (int looked = 0; looked < 2; ++looked)
    server.answers("GET /pipeline-promotions/x1/promotion-targets",
                   R"([{"app":{"id":"a3"},"status":"succeeded","release":{"id":"r1"}}])");
  server.answers("GET /apps/a3/releases/r1",
                 R"({"output_stream_url":"http://localhost:7373/streams/s3cret"})");
  server.answers("GET /streams/s3cret", "migrating\n");
  EXPECT_EQ(say("pipelines:promote -a sushi --to nori"), 0);
  EXPECT_EQ(terminal.shown, "migrating\nnori:  succeeded\n");
}

TEST_F(PipelineCommands, AskBeforeTheyGiveAppsAway) {
  server.answers("POST /pipeline-transfers", "{}", 201);
  terminal.answers = {"fool"};
  EXPECT_EQ(say("pipelines:transfer eve@example.com -p food"), 1);
  EXPECT_THAT(terminal.said, HasSubstr("Nothing was transferred."));
  EXPECT_EQ(say("pipelines:transfer eve@example.com -p food -c food"), 0);
}

}  // namespace
}  // namespace renga::cli
