// The program: its help, exit statuses, and how it finds and leaves a server.
#include "cli/cli.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "cli/testing/cli_fixture.h"

namespace renga::cli {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* scale_page = R"(show or change how many dynos run

Usage: renga ps:scale [TYPE=QUANTITY[:SIZE] ...]

Flags:
  -a, --app NAME           the app; else the git remote says
      --url URL            the server; else RENGA_URL, the login, or this machine's
  -r, --remote REMOTE      the git remote that names the app
  -h, --help               show this page

Quantities may be relative.

Examples:
  $ renga ps:scale web=2
  $ renga ps:scale web+1 worker=1:Standard-2X
)";

class ProgramTest : public CliTest {};
class EnvTest : public CliTest {};
class LoginTest : public CliTest {};
class GitCredentialsTest : public CliTest {};

TEST_F(ProgramTest, ShowsEveryCommandInOneOrder) {
  for (const auto* line : {"help", "", "--help", "-h"}) {
    EXPECT_EQ(say(line), 0);
    EXPECT_THAT(terminal.shown, testing::StartsWith("renga: git push, and the app is live.\n\n"
                                                    "Usage: renga COMMAND\n\nCommands:\n"
                                                    "  apps                   list the apps"));
    std::size_t at = 0;
    for (const auto& command : all_commands()) {
      const auto found = terminal.shown.find(fmt::format("\n  {} ", command.name), at);
      if (command.hidden) continue;
      ASSERT_NE(found, std::string::npos) << command.name;
      at = found;
    }
    EXPECT_EQ(terminal.said, "");
  }
}

TEST_F(ProgramTest, ShowsTheManualPageOfACommand) {
  for (const auto* line : {"help ps:scale", "ps:scale --help", "ps:scale -h", "--help ps:scale"}) {
    EXPECT_EQ(say(line), 0) << line;
    EXPECT_EQ(terminal.shown, scale_page);
  }
  EXPECT_THAT(server.sent, IsEmpty());
}

TEST_F(ProgramTest, HasAManualPageForEveryCommand) {
  for (const auto& command : all_commands()) {
    EXPECT_EQ(say({"help", std::string(command.name)}), 0);
    EXPECT_THAT(terminal.shown, HasSubstr("Usage: renga " + std::string(command.name)));
    EXPECT_FALSE(command.summary.empty()) << command.name;
  }
}

TEST_F(ProgramTest, ExplainsTheServer) {
  EXPECT_EQ(say("help server"), 0);
  EXPECT_THAT(terminal.shown, HasSubstr("--listen HOST:PORT"));
  EXPECT_THAT(terminal.shown, Not(HasSubstr("--url")));
  EXPECT_EQ(say("server:stop --help"), 0);
  EXPECT_THAT(terminal.shown, HasSubstr("--dynos"));
}

TEST_F(ProgramTest, SaysItsVersion) {
  for (const auto* line : {"version", "--version", "-v"}) {
    EXPECT_EQ(say(line), 0);
    EXPECT_THAT(terminal.shown, testing::MatchesRegex("renga [0-9]+\\.[0-9]+\\.[0-9]+\n"));
  }
}

TEST_F(ProgramTest, EndsWithTwoWhenItDoesNotUnderstand) {
  EXPECT_EQ(say("ps:scalle web=2"), 2);
  EXPECT_EQ(terminal.said, "renga has no command ps:scalle. Did you mean ps:scale?\n");
  EXPECT_EQ(say("maintenance:of"), 2);
  EXPECT_THAT(terminal.said, HasSubstr("Did you mean maintenance:o"));
  EXPECT_EQ(say("maintenance:perhaps"), 2);
  EXPECT_THAT(terminal.said,
              HasSubstr("There are: maintenance, maintenance:on, maintenance:off.\n"));
  EXPECT_EQ(say("ps --jsn"), 2);
  EXPECT_THAT(terminal.said, HasSubstr("ps has no flag --jsn. Did you mean --json?"));
  EXPECT_EQ(say("nonsense"), 2);
  EXPECT_EQ(terminal.said, "renga has no command nonsense. See `renga help`.\n");
  EXPECT_EQ(say("help nonsense"), 2);
  EXPECT_EQ(say("ps --everything"), 2);
  EXPECT_EQ(say("apps sushi"), 2);
  EXPECT_THAT(server.sent, IsEmpty());
}

TEST_F(ProgramTest, KnowsHerokusOtherNamesForCommands) {
  server.answers("GET /apps", R"([{"name":"sushi"}])");
  for (const auto* line : {"list", "apps:list", "apps"}) {
    EXPECT_EQ(say(line), 0) << line;
    EXPECT_EQ(terminal.shown, "sushi\n");
  }
}

TEST_F(ProgramTest, EndsByTheKindOfTheRefusal) {
  for (const auto& [status, exit] : std::vector<std::pair<int, int>>{{400, 1},
                                                                     {401, 3},
                                                                     {403, 4},
                                                                     {404, 5},
                                                                     {409, 6},
                                                                     {422, 1},
                                                                     {423, 6},
                                                                     {429, 7},
                                                                     {500, 8}}) {
    const auto path = fmt::format("app-{}", status);
    server.answers("GET /apps/" + path, R"({"id":"x","message":"Refused."})", status);
    EXPECT_EQ(say("apps:info -a " + path), exit) << status;
    EXPECT_EQ(terminal.said, " !    Refused.\n");
  }
}

TEST_F(ProgramTest, EndsWithFourAndTheServersWordsWhenItMayNot) {
  server.answers("GET /apps/sushi", R"({"id":"forbidden","message":"You may not see sushi."})",
                 403);
  EXPECT_EQ(say("apps:info -a sushi"), 4);
  EXPECT_EQ(terminal.said, " !    You may not see sushi.\n");
  EXPECT_EQ(terminal.shown, "");
}

TEST_F(ProgramTest, EndsWithEightWhenTheServerIsNoPlatform) {
  server.answers("GET /apps", "<html>hello</html>");
  EXPECT_EQ(say("apps"), 8);
  EXPECT_THAT(terminal.said, HasSubstr("did not answer with JSON. Is it a renga server?"));
  server.answers("GET /account", R"(["not","an","account"])");
  EXPECT_EQ(say("auth:whoami"), 0);
  server.answers("GET /apps/sushi/config-vars", R"(["no object"])");
  EXPECT_EQ(say("config -a sushi"), 1);
  EXPECT_THAT(terminal.said, HasSubstr("config failed: "));
}

TEST_F(ProgramTest, SendsTheTokenAndHerokusAcceptHeader) {
  server.answers("GET /apps", "[]");
  EXPECT_EQ(say("apps"), 0);
  ASSERT_EQ(server.sent.size(), 1U);
  EXPECT_EQ(server.sent[0].url, "http://localhost:7373/apps");
  EXPECT_EQ(server.sent[0].token, "Bearer the-token");
  EXPECT_EQ(server.sent[0].accept, "application/vnd.heroku+json; version=3");
}

TEST_F(EnvTest, PointsHerokusCliAndGitHere) {
  surroundings.environment["RENGA_CA"] = "/srv/it's mine/ca.pem";
  EXPECT_EQ(say("env"), 0);
  EXPECT_EQ(terminal.shown,
            R"(export HEROKU_HOST=http://localhost:7373
export HEROKU_PARTICLEBOARD_URL=http://localhost:7373
export HEROKU_BUILDPACK_REGISTRY_URL=http://localhost:7373
export HEROKU_LOGIN_HOST=http://localhost:7373
export HEROKU_STATUS_HOST=http://localhost:7373
export HEROKU_GIT_HOST=localhost:7373
export HEROKU_DATA_HOST=localhost
export HEROKU_EXEC_URL=https://localhost:7373
export HEROKU_API_KEY=the-token
export DISABLE_TELEMETRY=true
export HEROKU_SKIP_NEW_VERSION_CHECK=true
export NODE_EXTRA_CA_CERTS='/srv/it'\''s mine/ca.pem'
export GIT_SSL_CAINFO='/srv/it'\''s mine/ca.pem'
export RENGA_URL=http://localhost:7373
export RENGA_TOKEN=the-token
export RENGA_CA='/srv/it'\''s mine/ca.pem'
)");
  EXPECT_EQ(terminal.said, "");
  EXPECT_THAT(server.sent, IsEmpty());
}

TEST_F(EnvTest, ReadsADataDirectoryWhateverElseIsKnown) {
  write("other/run/server.json", R"({"listen":"http://127.0.0.1:9999"})");
  write("other/admin.token", "other-token\n");
  EXPECT_EQ(say({"env", "--data", (home.path / "other").string()}), 0);
  EXPECT_THAT(terminal.shown, HasSubstr("export HEROKU_HOST=http://localhost:9999\n"));
  EXPECT_THAT(terminal.shown, HasSubstr("export HEROKU_API_KEY=other-token\n"));
  EXPECT_THAT(terminal.shown, Not(HasSubstr("the-token")));
  EXPECT_EQ(say({"env", "--data", (home.path / "nothing").string()}), 3);
  EXPECT_EQ(terminal.shown, "");
}

// Heroku's CLI would take the token to api.heroku.com.
TEST_F(EnvTest, PrintsNothingForAHostThatHerokusCliRefuses) {
  for (const auto* url : {"https://paas.example.com:7373", "http://paas.localhost:7373",
                          "https://localhost.example.com", "http://[::1]:7373"}) {
    surroundings.environment["RENGA_URL"] = url;
    EXPECT_EQ(say("env"), 1) << url;
    EXPECT_EQ(terminal.shown, "");
    EXPECT_THAT(terminal.said, HasSubstr("renga proxy --url"));
  }
}

TEST_F(LoginTest, KeepsATokenThatTheServerKnowsForItsOwnerAlone) {
  surroundings.environment = {{"HOME", home.path.string()}};
  write("ca.pem", "-----BEGIN CERTIFICATE-----\n");
  server.answers("GET /account", R"({"email":"ada@example.com"})");
  terminal.answers = {"secret-token"};
  EXPECT_EQ(say("login --url https://paas.example.com:7373/ --ca ca.pem"), 0);
  EXPECT_TRUE(terminal.asked_secret);
  EXPECT_THAT(terminal.said,
              HasSubstr("Logged in to https://paas.example.com:7373 as ada@example.com."));
  ASSERT_EQ(server.sent.size(), 1U);
  EXPECT_EQ(server.sent[0].token, "Bearer secret-token");
  EXPECT_EQ(server.sent[0].ca, (home.path / "ca.pem").string());

  struct stat status {};
  ASSERT_EQ(::stat((home.path / ".config/renga/logins.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);

  EXPECT_EQ(say("auth:whoami"), 0);
  EXPECT_EQ(terminal.shown, "ada@example.com\n");
  EXPECT_EQ(server.sent[0].url, "https://paas.example.com:7373/account");
  EXPECT_EQ(server.sent[0].token, "Bearer secret-token");

  EXPECT_EQ(say("logout"), 0);
  EXPECT_EQ(say("auth:whoami"), 3);
  EXPECT_THAT(terminal.said, HasSubstr("No server is known"));
}

TEST_F(LoginTest, KeepsNothingWhenTheServerRefuses) {
  server.answers("GET /account", R"({"id":"unauthorized","message":"Invalid credentials."})", 401);
  terminal.answers = {"wrong"};
  EXPECT_EQ(say("login --url https://paas.example.com:7373"), 3);
  EXPECT_THAT(terminal.said, HasSubstr("Invalid credentials."));
  EXPECT_FALSE(std::filesystem::exists(home.path / ".config/renga/logins.json"));
}

TEST_F(LoginTest, RefusesWhatIsNoCertificateAndAsksForAServer) {
  write("ca.pem", "hello\n");
  EXPECT_EQ(say("login --url https://paas.example.com:7373 --ca ca.pem"), 1);
  EXPECT_THAT(terminal.said, HasSubstr("is no certificate in PEM"));
  EXPECT_EQ(say("login"), 1);
  EXPECT_THAT(terminal.said, HasSubstr("Which server?"));
  EXPECT_THAT(server.sent, IsEmpty());
}

TEST_F(LoginTest, MakesATokenWithAPasswordAndTheCodeBesideIt) {
  server.answers("POST /oauth/authorizations", R"({"id":"two_factor","message":"Send the code."})",
                 403);
  server.answers("POST /oauth/authorizations", R"({"access_token":{"token":"made-token"}})", 201);
  server.answers("GET /account", R"({"email":"ada@example.com"})");
  terminal.answers = {"ada@example.com", "correct horse", " 123456 "};
  EXPECT_EQ(say("login -i --url https://paas.example.com:7373"), 0);
  ASSERT_EQ(server.sent.size(), 3U);
  EXPECT_EQ(server.sent[0].token, "Basic " + text::base64("ada@example.com:correct horse"));
  EXPECT_EQ(server.sent[0].body.at("expires_in").as_int64(), 2'592'000);
  EXPECT_EQ(server.sent[2].token, "Bearer made-token");

  // What was made for the login goes with it.
  server.answers("GET /oauth/authorizations",
                 R"([{"id":"1","description":"CI","access_token":{"token":"made-token"}},
                     {"id":"2","description":"renga login from x","access_token":{"token":"made-token"}},
                     {"id":"3","description":"renga login from x","access_token":{"token":"other"}}])");
  EXPECT_EQ(say("logout --url https://paas.example.com:7373"), 0);
  EXPECT_THAT(server.calls(),
              ElementsAre("GET /oauth/authorizations", "DELETE /oauth/authorizations/2"));
}

TEST_F(LoginTest, WarnsWhenTheTokenTravelsUnencrypted) {
  server.answers("GET /account", R"({"email":"ada@example.com"})");
  terminal.answers = {"one", "two"};
  EXPECT_EQ(say("login --url http://paas.example.com"), 0);
  EXPECT_THAT(terminal.said, HasSubstr("is not encrypted"));
  EXPECT_EQ(say("login --url http://localhost:7373"), 0);
  EXPECT_THAT(terminal.said, Not(HasSubstr("is not encrypted")));
}

TEST_F(GitCredentialsTest, GiveTheTokenOnlyForItsOwnHost) {
  terminal.answers = {"protocol=https", "host=localhost:7373", ""};
  EXPECT_EQ(say("git:credentials get"), 0);
  EXPECT_EQ(terminal.shown, "username=renga\npassword=the-token\n");

  for (const auto* host : {"host=github.com", "host=localhost", "host=localhost:7374"}) {
    terminal.answers = {"protocol=https", host, ""};
    EXPECT_EQ(say("git:credentials get"), 0);
    EXPECT_EQ(terminal.shown, "") << host;
    EXPECT_THAT(terminal.said, HasSubstr("no token is known for"));
  }
  terminal.answers = {"protocol=http", "host=localhost:7373", ""};
  EXPECT_EQ(say("git:credentials get"), 0);
  EXPECT_EQ(terminal.shown, "");
  terminal.answers = {"protocol=https", "host=localhost:7373", ""};
  EXPECT_EQ(say("git:credentials store"), 0);
  EXPECT_EQ(terminal.shown, "");
  EXPECT_EQ(terminal.said, "");
}

TEST_F(GitCredentialsTest, KnowEveryLoginByItsHost) {
  client::save_login(surroundings, {"https://one.example.com", "token-one", {}}, "");
  client::save_login(surroundings, {"https://two.example.com", "token-two", {}}, "");
  terminal.answers = {"protocol=https", "host=one.example.com", ""};
  EXPECT_EQ(say("git:credentials get"), 0);
  EXPECT_EQ(terminal.shown, "username=renga\npassword=token-one\n");
}

}  // namespace
}  // namespace renga::cli
