// What commands ask of the server, and what they show.
#include "cli/testing/cli_fixture.h"

namespace renga::cli {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* sushi =
    R"({"name":"sushi","web_url":"http://sushi.localhost:8080/","git_url":"https://x/sushi.git",
        "owner":{"email":"ada@example.com"},"region":{"name":"local"},"stack":{"name":"host"},
        "maintenance":false,"slug_size":2345678})";

class AppsCommands : public CliTest {};
class ConfigCommands : public CliTest {};
class PsCommands : public CliTest {};
class ReleaseCommands : public CliTest {};
class LogsCommand : public CliTest {};

TEST_F(AppsCommands, CreateAnAppOutsideARepository) {
  server.answers("POST /apps", sushi, 201);
  EXPECT_EQ(say("apps:create sushi --stack host"), 0);
  EXPECT_THAT(server.calls(), ElementsAre(R"(POST /apps {"name":"sushi","stack":"host"})"));
  EXPECT_EQ(terminal.shown, "http://sushi.localhost:8080/ | https://localhost:7373/sushi.git\n");
  EXPECT_EQ(terminal.said, "Creating sushi... done\n");
}

TEST_F(AppsCommands, CreateAnAppAndItsRemoteInARepository) {
  make_repository();
  surroundings.environment["RENGA_CA"] = (home.path / "ca.pem").string();
  surroundings.program = "/opt/my tools/renga";
  server.answers("POST /apps", sushi, 201);
  EXPECT_EQ(say("apps:create"), 0);
  EXPECT_THAT(server.calls(), ElementsAre("POST /apps {}"));
  EXPECT_EQ(git({"remote", "get-url", "renga"}), "https://localhost:7373/sushi.git");
  EXPECT_THAT(terminal.said, HasSubstr("git push renga main"));
  EXPECT_EQ(git({"config", "--get", "http.https://localhost:7373/.sslCAInfo"}),
            (home.path / "ca.pem").string());
  EXPECT_EQ(git({"config", "--get", "credential.https://localhost:7373.helper"}),
            "!'/opt/my tools/renga' git:credentials");
  // Said once, however often it is asked for; and no token is in the repository.
  EXPECT_EQ(say("apps:create"), 0);
  EXPECT_EQ(git({"config", "--get-all", "credential.https://localhost:7373.helper"}),
            "!'/opt/my tools/renga' git:credentials");
  EXPECT_THAT(git({"config", "--list"}), testing::Not(HasSubstr("the-token")));

  // The remote now names the app.
  server.answers("GET /apps/sushi", sushi);
  EXPECT_EQ(say("apps:open"), 0);
  EXPECT_EQ(terminal.shown, "http://sushi.localhost:8080/\n");
}

TEST_F(AppsCommands, LeaveTheRemotesAloneWhenToldSo) {
  make_repository();
  server.answers("POST /apps", sushi, 201);
  EXPECT_EQ(say("apps:create sushi --no-remote"), 0);
  EXPECT_EQ(git({"remote"}), "");
}

TEST_F(AppsCommands, ChooseAmongSeveralRemotes) {
  make_repository();
  git({"remote", "add", "renga", "https://localhost:7373/sushi.git"});
  git({"remote", "add", "staging", "https://someone@localhost:7373/sushi-staging.git"});
  git({"remote", "add", "origin", "https://github.com/someone/sushi.git"});
  EXPECT_EQ(say("ps"), 1);
  EXPECT_THAT(terminal.said,
              HasSubstr("Several git remotes are apps: renga (sushi), staging (sushi-staging)."));
  server.answers("GET /apps/sushi-staging/dynos", "[]");
  EXPECT_EQ(say("ps --remote staging"), 0);
  EXPECT_EQ(terminal.said, "No dynos on sushi-staging\n");
}

TEST_F(AppsCommands, AskForAnAppWhenNothingNamesOne) {
  EXPECT_EQ(say("ps"), 1);
  EXPECT_THAT(terminal.said, HasSubstr("Which app? Name it with --app NAME"));
  surroundings.environment["RENGA_APP"] = "sushi";
  server.answers("GET /apps/sushi/dynos", "[]");
  EXPECT_EQ(say("ps"), 0);
}

TEST_F(AppsCommands, DestroyOnlyWhatIsNamedTwice) {
  server.answers("DELETE /apps/sushi", sushi);
  for (const auto* answer : {"", "sush", "SUSHI", "yes"}) {
    terminal.answers = {answer};
    EXPECT_EQ(say("apps:destroy -a sushi"), 1);
    EXPECT_THAT(terminal.said, HasSubstr("Nothing was destroyed."));
    EXPECT_THAT(server.sent, IsEmpty());
  }
  EXPECT_EQ(say("apps:destroy sushi --confirm tuna"), 1);
  EXPECT_THAT(server.sent, IsEmpty());

  terminal.answers = {"sushi"};
  EXPECT_EQ(say("apps:destroy -a sushi"), 0);
  EXPECT_THAT(server.calls(), ElementsAre("DELETE /apps/sushi"));
  EXPECT_EQ(say("apps:destroy sushi --confirm sushi"), 0);
  EXPECT_THAT(server.calls(), ElementsAre("DELETE /apps/sushi"));
}

TEST_F(AppsCommands, RemoveTheRemoteOfADestroyedAppAndFollowARename) {
  make_repository();
  git({"remote", "add", "renga", "https://localhost:7373/sushi.git"});
  git({"remote", "add", "origin", "https://github.com/someone/sushi.git"});
  server.answers("PATCH /apps/sushi",
                 R"({"name":"tempura","web_url":"http://tempura.localhost:8080/"})");
  EXPECT_EQ(say("apps:rename tempura"), 0);
  EXPECT_EQ(git({"remote", "get-url", "renga"}), "https://localhost:7373/tempura.git");

  server.answers("DELETE /apps/tempura", "{}");
  EXPECT_EQ(say("apps:destroy --confirm tempura"), 0);
  EXPECT_EQ(git({"remote"}), "origin");
}

TEST_F(AppsCommands, ShowAnApp) {
  server.answers("GET /apps/sushi", sushi);
  EXPECT_EQ(say("apps:info -a sushi"), 0);
  EXPECT_EQ(terminal.shown, R"(=== sushi
Git URL:      https://localhost:7373/sushi.git
Owner:        ada@example.com
Region:       local
Stack:        host
Maintenance:  off
Slug size:    2345 kB
Web URL:      http://sushi.localhost:8080/
)");
  EXPECT_EQ(say("apps:info -a sushi --json"), 0);
  EXPECT_EQ(boost::json::parse(terminal.shown), boost::json::parse(sushi));
}

TEST_F(ConfigCommands, SetEveryVarInOneCall) {
  server.answers("PATCH /apps/sushi/config-vars", "{}");
  server.answers("GET /apps/sushi/releases", R"([{"version":7}])");
  EXPECT_EQ(say({"config:set", "-a", "sushi", "URL=http://x/?a=b", "EMPTY=", "TEXT=two words"}), 0);
  EXPECT_THAT(server.calls(),
              ElementsAre(R"(PATCH /apps/sushi/config-vars )"
                          R"({"URL":"http://x/?a=b","EMPTY":"","TEXT":"two words"})",
                          "GET /apps/sushi/releases"));
  EXPECT_EQ(server.sent[1].range, "version ..; order=desc, max=1");
  EXPECT_EQ(terminal.said, "Setting URL, EMPTY, TEXT and restarting sushi... done, v7\n");
  EXPECT_EQ(terminal.shown, "URL: http://x/?a=b\nEMPTY: \nTEXT: two words\n");
}

TEST_F(ConfigCommands, SetNothingWhenOneWordIsWrong) {
  for (const auto* word : {"NAME", "=value"}) {
    EXPECT_EQ(say({"config:set", "-a", "sushi", "GOOD=1", word}), 1);
    EXPECT_THAT(terminal.said, HasSubstr("is not NAME=value. Nothing was set."));
    EXPECT_THAT(server.sent, IsEmpty());
  }
  EXPECT_EQ(say("config:set -a sushi"), 1);
}

TEST_F(ConfigCommands, UnsetWithNull) {
  server.answers("PATCH /apps/sushi/config-vars", "{}");
  server.answers("GET /apps/sushi/releases", R"([{"version":8}])");
  EXPECT_EQ(say("config:unset A B -a sushi"), 0);
  EXPECT_EQ(server.calls()[0], R"(PATCH /apps/sushi/config-vars {"A":null,"B":null})");
}

TEST_F(ConfigCommands, ShowThemForPeopleAndForShells) {
  server.answers("GET /apps/sushi/config-vars", R"({"A":"1","LONGER":"it's two"})");
  EXPECT_EQ(say("config -a sushi"), 0);
  EXPECT_EQ(terminal.shown, "A:       1\nLONGER:  it's two\n");
  EXPECT_EQ(say("config -a sushi --shell"), 0);
  EXPECT_EQ(terminal.shown, "A=1\nLONGER='it'\\''s two'\n");
  EXPECT_EQ(say("config:get LONGER NONE -a sushi"), 0);
  EXPECT_EQ(terminal.shown, "it's two\n\n");
}

TEST_F(PsCommands, ScaleInOneCall) {
  server.answers("PATCH /apps/sushi/formation",
                 R"([{"type":"web","quantity":2,"size":"Basic"},
                     {"type":"my-worker","quantity":1,"size":"Standard-2X"}])");
  EXPECT_EQ(say("ps:scale web=2 my-worker-1:Standard-2X clock+1 -a sushi"), 0);
  EXPECT_THAT(server.calls(),
              ElementsAre(R"(PATCH /apps/sushi/formation {"updates":[)"
                          R"({"type":"web","quantity":"2"},)"
                          R"({"type":"my-worker","quantity":"-1","size":"Standard-2X"},)"
                          R"({"type":"clock","quantity":"+1"}]})"));
  EXPECT_EQ(terminal.said,
            "Scaling dynos... done, now running web at 2:Basic, my-worker at 1:Standard-2X\n");
}

TEST_F(PsCommands, ScaleNothingWhenOneWordIsWrong) {
  for (const auto* word : {"web", "web=", "=2", "web=two", "web=2:", "web=-1", "web==2", "web=+2",
                           "web=1.5", "web+", "2", "+2", "web=2x", ":Basic", "web:Basic"}) {
    EXPECT_EQ(say({"ps:scale", "web=2", word, "-a", "sushi"}), 1) << word;
    EXPECT_THAT(terminal.said, HasSubstr(std::string(word) + " is not TYPE=QUANTITY[:SIZE]"));
    EXPECT_THAT(server.sent, IsEmpty());
  }
}

TEST_F(PsCommands, ShowTheFormation) {
  server.answers("GET /apps/sushi/formation",
                 R"([{"type":"web","quantity":2,"size":"Basic"},
                     {"type":"worker","quantity":0,"size":"Basic"}])");
  EXPECT_EQ(say("ps:scale -a sushi"), 0);
  EXPECT_EQ(terminal.shown, "web=2:Basic worker=0:Basic\n");
}

TEST_F(PsCommands, ShowDynosByType) {
  server.answers("GET /apps/sushi/dynos",
                 R"([{"name":"web.1","type":"web","size":"Basic","command":"serve","state":"up",
                      "updated_at":"not a time"},
                     {"name":"run.1","type":"run","size":"Basic","command":"bash","state":"up",
                      "updated_at":"not a time"},
                     {"name":"web.2","type":"web","size":"Basic","command":"serve",
                      "state":"starting","updated_at":"not a time"}])");
  EXPECT_EQ(say("ps web -a sushi"), 0);
  EXPECT_EQ(terminal.shown,
            "=== web (Basic): serve (2)\nweb.1: up not a time\nweb.2: starting not a time\n");
}

TEST_F(PsCommands, RestartAndStopDynosOrTypes) {
  for (const auto* path :
       {"DELETE /apps/sushi/dynos", "DELETE /apps/sushi/dynos/web.1",
        "DELETE /apps/sushi/formations/web", "POST /apps/sushi/dynos/run.4711/actions/stop",
        "POST /apps/sushi/formations/web/actions/stop"})
    server.answers(path, "{}", 202);
  const auto call = [&](const std::string& line) {
    EXPECT_EQ(say(line + " -a sushi"), 0) << terminal.said;
    return server.calls().at(0);
  };
  EXPECT_EQ(call("ps:restart"), "DELETE /apps/sushi/dynos");
  EXPECT_EQ(call("ps:restart web.1"), "DELETE /apps/sushi/dynos/web.1");
  EXPECT_EQ(call("ps:restart web"), "DELETE /apps/sushi/formations/web");
  EXPECT_EQ(call("ps:stop run.4711"), "POST /apps/sushi/dynos/run.4711/actions/stop {}");
  EXPECT_EQ(call("ps:stop web"), "POST /apps/sushi/formations/web/actions/stop {}");
}

TEST_F(PsCommands, RunACommandLineOrWords) {
  server.answers("POST /apps/sushi/dynos", R"({"name":"run.4711"})", 201);
  EXPECT_EQ(say({"run:detached", "-a", "sushi", "echo $HOME"}), 0);
  EXPECT_EQ(server.calls().at(0),
            R"(POST /apps/sushi/dynos {"command":"echo $HOME","attach":false})");
  EXPECT_EQ(say({"run:detached", "-a", "sushi", "--", "echo", "two words", "--flag"}), 0);
  EXPECT_EQ(server.calls().at(0),
            R"(POST /apps/sushi/dynos {"command":"echo 'two words' --flag","attach":false})");
  EXPECT_EQ(say({"run:detached", "-a", "sushi", "-e", "YEAR=2025;A=b=c", "-s", "standard-2x",
                 "--time-to-live", "3600", "./report"}),
            0);
  EXPECT_EQ(server.calls().at(0),
            R"(POST /apps/sushi/dynos {"command":"./report","attach":false,)"
            R"("env":{"YEAR":"2025","A":"b=c"},"size":"standard-2x","time_to_live":3600})");
  EXPECT_EQ(say({"run:detached", "-a", "sushi", "--time-to-live", "soon", "./report"}), 1);
  EXPECT_EQ(say({"run:detached", "-a", "sushi", "--env", "YEAR", "./report"}), 1);
}

constexpr const char* releases =
    R"([{"version":5,"status":"failed","current":false,"eligible_for_rollback":false,
         "description":"Deploy 3","user":{"email":"a@b"},"created_at":"then"},
        {"version":4,"status":"succeeded","current":true,"eligible_for_rollback":true,
         "description":"Deploy 2","user":{"email":"a@b"},"created_at":"then"},
        {"version":3,"status":"failed","current":false,"eligible_for_rollback":false,
         "description":"Set A","user":null,"created_at":"then"},
        {"version":2,"status":"succeeded","current":false,"eligible_for_rollback":true,
         "description":"Deploy 1","user":{"email":"a@b"},"created_at":"then"}])";

TEST_F(ReleaseCommands, ListNewestFirst) {
  server.answers("GET /apps/sushi/releases", releases);
  EXPECT_EQ(say("releases -a sushi -n4"), 0);
  EXPECT_EQ(server.sent[0].range, "version ..; order=desc, max=4");
  EXPECT_EQ(terminal.shown,
            "v5  Deploy 3 (release command failed)  a@b  then\n"
            "v4  Deploy 2 (current)                 a@b  then\n"
            "v3  Set A (release command failed)          then\n"
            "v2  Deploy 1                           a@b  then\n");
  for (const auto* number : {"0", "-1", "many", "1001", "1; order=asc"})
    EXPECT_EQ(say({"releases", "-a", "sushi", "--num", number}), 1) << number;
}

TEST_F(ReleaseCommands, RollBackToTheOneBeforeTheCurrentThatSucceeded) {
  server.answers("GET /apps/sushi/releases", releases);
  server.answers("POST /apps/sushi/releases", R"({"version":6})", 201);
  EXPECT_EQ(say("releases:rollback -a sushi"), 0);
  EXPECT_EQ(server.calls().back(), R"(POST /apps/sushi/releases {"release":"2"})");
  EXPECT_EQ(terminal.said, "Rolling back sushi to v2... done, v6\n");
}

TEST_F(ReleaseCommands, RollBackToTheOneThatWasNamed) {
  server.answers("POST /apps/sushi/releases", R"({"version":6})", 201);
  for (const auto* name : {"v3", "3"}) {
    EXPECT_EQ(say({"releases:rollback", name, "-a", "sushi"}), 0);
    EXPECT_THAT(server.calls(), ElementsAre(R"(POST /apps/sushi/releases {"release":"3"})"));
  }
}

TEST_F(ReleaseCommands, RefuseToRollBackWhereNothingCameBefore) {
  server.answers("GET /apps/sushi/releases",
                 R"([{"version":1,"current":true,"eligible_for_rollback":true}])");
  EXPECT_EQ(say("releases:rollback -a sushi"), 5);
  EXPECT_THAT(terminal.said, HasSubstr("There is no earlier release to go back to."));
}

TEST_F(ReleaseCommands, ShowWhatAReleaseCommandPrinted) {
  server.answers("GET /apps/sushi/releases",
                 R"([{"version":5,"output_stream_url":"http://localhost:7373/streams/s3cret"}])");
  server.answers("GET /streams/s3cret", "migrating\n");
  EXPECT_EQ(say("releases:output -a sushi"), 0);
  EXPECT_EQ(terminal.shown, "migrating\n");
  EXPECT_EQ(server.sent.back().token, "");
  server.answers("GET /apps/sushi/releases/4", R"({"version":4,"output_stream_url":null})");
  EXPECT_EQ(say("releases:output v4 -a sushi"), 5);
}

TEST_F(LogsCommand, OpensASessionAndShowsItsLines) {
  server.answers("POST /apps/sushi/log-sessions",
                 R"({"logplex_url":"http://localhost:7373/log-sessions/s3cret"})", 201);
  server.answers("GET /log-sessions/s3cret", "one\ntwo\n");
  EXPECT_EQ(say("logs -a sushi"), 0);
  EXPECT_EQ(terminal.shown, "one\ntwo\n");
  EXPECT_EQ(server.calls()[0], R"(POST /apps/sushi/log-sessions {"lines":100,"tail":false})");
  EXPECT_EQ(server.sent[1].accept, "text/plain");
  EXPECT_EQ(server.sent[1].token, "");

  EXPECT_EQ(say("logs -a sushi -t -n 5 -d web.1 --source app"), 0);
  EXPECT_EQ(server.calls()[0], R"(POST /apps/sushi/log-sessions )"
                               R"({"lines":5,"tail":true,"dyno":"web.1","source":"app"})");
}

TEST_F(LogsCommand, RefusesNumbersThatCannotBe) {
  for (const auto* number : {"0", "-1", "1501", "many", ""}) {
    EXPECT_EQ(say({"logs", "-a", "sushi", "--num", number}), 1) << number;
    EXPECT_EQ(terminal.said, " !    --num takes a number from 1 to 1500.\n");
    EXPECT_THAT(server.sent, IsEmpty());
  }
}

}  // namespace
}  // namespace renga::cli
