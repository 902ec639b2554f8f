// config:edit, config:import, config:diff and config:history.
#include "cli/testing/cli_fixture.h"

namespace renga::cli {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ConfigTextCommands : public CliTest {
 protected:
  ConfigTextCommands() {
    server.answers("PATCH /apps/sushi/config-vars", "{}");
    server.answers("GET /apps/sushi/releases", R"([{"version":7}])");
  }
  std::string patch() {
    for (const auto& call : server.calls())
      if (call.starts_with("PATCH")) return call;
    return "none";
  }
};

TEST_F(ConfigTextCommands, EditSendsWhatChangedAtOnce) {
  server.answers("GET /apps/sushi/config-vars", R"({"A":"1","B":"two words","C":"3"})");
  surroundings.environment["EDITOR"] = "sed -i -e /^C=/d -e s/two/three/ -e 1iD=4";
  EXPECT_EQ(say("config:edit -a sushi"), 0) << terminal.said;
  EXPECT_EQ(patch(), R"(PATCH /apps/sushi/config-vars {"B":"three words","D":"4","C":null})");
}

TEST_F(ConfigTextCommands, EditChangesNothingWhenTheEditorFailsOrWritesNonsense) {
  server.answers("GET /apps/sushi/config-vars", R"({"A":"1"})");
  for (const auto* editor : {"false", "true", "sed -i s/=/~/"}) {
    surroundings.environment["EDITOR"] = editor;
    EXPECT_EQ(say("config:edit -a sushi"), std::string(editor) == "true" ? 0 : 1);
    EXPECT_EQ(patch(), "none") << editor;
  }
}

TEST_F(ConfigTextCommands, ImportReadsADotEnv) {
  write(".env", "# local\nA=1\nB=\"two # words\"  \nexport C=3 # three\n");
  server.answers("GET /apps/sushi/config-vars", R"({"A":"production"})");
  server.answers("GET /apps/sushi/releases", R"([{"version":8}])");
  EXPECT_EQ(say("config:import -a sushi"), 0) << terminal.said;
  EXPECT_EQ(patch(), R"(PATCH /apps/sushi/config-vars {"A":"1","B":"two # words","C":"3"})");
  EXPECT_EQ(say("config:import --keep -a sushi"), 0);
  EXPECT_EQ(patch(), R"(PATCH /apps/sushi/config-vars {"B":"two # words","C":"3"})");
  EXPECT_EQ(say("config:import nothing -a sushi"), 5);
}

TEST_F(ConfigTextCommands, DiffComparesAppsAndReleases) {
  server.answers("GET /apps/sushi/config-vars", R"({"A":"1","B":"2","ONLY":"x"})");
  server.answers("GET /apps/maki/config-vars", R"({"A":"1","B":"3"})");
  server.answers("GET /apps/sushi/releases/5/config-vars", R"({"A":"1"})");
  EXPECT_EQ(say("config:diff maki -a sushi"), 1);
  EXPECT_EQ(terminal.shown, "--- sushi\n+++ maki\n- B=2\n+ B=3\n- ONLY=x\n");
  EXPECT_EQ(say("config:diff v5 -a sushi"), 1);
  EXPECT_THAT(terminal.shown, HasSubstr("--- sushi v5\n+++ sushi\n+ B=2"));
  EXPECT_EQ(say("config:diff 5 v5 -a sushi"), 0);
}

TEST_F(ConfigTextCommands, HistorySaysWhoChangedWhat) {
  server.answers("GET /apps/maki/releases",
                 R"([{"version":3,"created_at":"2026-01-05T10:00:00Z","user":{"email":"ada@x"}},
                     {"version":2,"created_at":"2026-01-05T09:00:00Z","user":{"email":"eve@x"}},
                     {"version":1}])");
  server.answers("GET /apps/maki/releases/3/config-vars", R"({"A":"2"})");
  server.answers("GET /apps/maki/releases/2/config-vars", R"({"A":"secret","B":"1"})");
  server.answers("GET /apps/maki/releases/1/config-vars", R"({})");
  EXPECT_EQ(say("config:history -a maki"), 0);
  EXPECT_THAT(terminal.shown, HasSubstr("ada@x  ~A -B\n"));
  EXPECT_THAT(terminal.shown, HasSubstr("eve@x  +A +B\n"));
  EXPECT_THAT(terminal.shown, Not(HasSubstr("secret")));
  EXPECT_EQ(say("config:history B -a maki"), 0);
  EXPECT_THAT(terminal.shown, HasSubstr("-B\n"));
  EXPECT_THAT(terminal.shown, Not(HasSubstr("~A")));
}

}  // namespace
}  // namespace renga::cli
