// The program: its help, exit statuses, and how it finds and leaves a server.
#include "cli/cli.h"

#include <sys/stat.h>

#include "cli/testing/cli_fixture.h"

namespace renga::cli {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* overview_page = R"(renga: git push, and the app is live.

Usage: renga COMMAND

Commands:
  apps                   list the apps you may see
  apps:create            create an app
  apps:info              show an app
  apps:open              print the address where an app answers
  apps:rename            rename an app
  apps:destroy           destroy an app, its dynos, releases and logs
  config                 show an app's config vars
  config:get             show one config var
  config:set             set config vars and restart
  config:unset           remove config vars and restart
  config:edit            change config vars in your editor
  config:import          set the config vars of a .env file
  config:diff            compare the config of two apps or two releases
  config:history         show who changed which config var and when
  ps                     list an app's dynos
  ps:scale               show or change how many dynos run
  ps:restart             restart dynos: all, a type (web), or one (web.1)
  ps:stop                stop a dyno (web.1) or a type (web)
  ps:exec                run a command, or a shell, inside a dyno that is up
  ps:copy                copy a file from a dyno to this machine
  ps:forward             forward local ports to a dyno's own
  run                    run a command in a one-off dyno, at this terminal
  run:detached           run a command in a one-off dyno, output to the log
  schedule               list an app's scheduled jobs
  schedule:add           run a command at set times
  schedule:remove        remove a scheduled job and its history
  schedule:run           run a scheduled job now
  schedule:history       show when a scheduled job ran, and how it went
  schedule:output        show what a run of a scheduled job wrote
  logs                   show an app's log
  metrics                show the requests an app has had: statuses, latency, bytes
  drains                 list where an app's log is delivered to
  drains:add             deliver an app's log to a syslog or HTTP server
  drains:remove          deliver an app's log there no longer
  releases               list an app's releases
  releases:info          show a release and its config vars
  releases:output        show what a release command printed
  releases:rollback      go back to an earlier release: its slug and its config vars
  addons                 list an app's add-ons and where they are attached
  addons:create          add an add-on to an app
  addons:destroy         destroy an add-on and what is in it
  addons:undelete        bring a destroyed add-on back with its data
  addons:info            show an add-on
  addons:attach          attach an add-on to an app, or under another name
  addons:detach          detach an add-on from an app
  addons:upgrade         change an add-on's plan
  addons:downgrade       the same, downwards
  addons:rename          rename an add-on
  addons:wait            wait until an add-on is there, or gone
  addons:open            show the address of an add-on's dashboard, signed in
  addons:docs            show where a service is documented
  addons:services        list the services that add-ons can be had of
  addons:plans           list a service's plans
  addons:register        add a provider to the catalog, or change it (administrators)
  addons:unregister      take a provider out of the catalog (administrators)
  provider               check an add-on provider: call it as the platform would
  domains                list the host names an app answers at
  domains:add            let an app answer at a host name
  domains:remove         take a host name away from an app
  domains:update         say which certificate a host name is served with
  features               list an app's features and which are enabled
  features:enable        switch a feature of an app on
  features:disable       switch a feature of an app off
  certs                  list an app's certificates
  certs:add              add a certificate to an app
  certs:update           put another certificate in the place of one
  certs:remove           remove a certificate from an app
  certs:info             show a certificate
  certs:generate         make a key and a CSR, or a self-signed certificate
  pg:info                show a PostgreSQL database
  pg:psql                open psql on a database
  pg:ps                  show the queries that run
  pg:kill                cancel a query
  pg:killall             end all sessions of a database
  pg:promote             make a database the app's DATABASE_URL
  pg:reset               delete all data in a database
  pg:wait                wait until a database is available
  pg:credentials         list a database's credentials
  pg:credentials:url     show a credential's URL
  pg:credentials:create  add a credential
  pg:credentials:destroy remove a credential; what it owned becomes the default one's
  pg:credentials:rotate  give a credential a new password
  pg:backups             list backups, and when each was last restored as a trial
  pg:backups:capture     back a database up
  pg:backups:info        show a backup and its log
  pg:backups:restore     replace a database by a backup
  pg:backups:url         print a link to a backup, good for an hour
  pg:backups:download    download a backup
  pg:backups:cancel      cancel a backup or restore that runs
  pg:backups:delete      delete a backup
  pg:backups:schedule    back a database up every day
  pg:backups:schedules   list the daily backups
  pg:backups:unschedule  stop the daily backups of a database
  redis:info             show a Key-Value Store
  redis:cli              open redis-cli on a store
  redis:credentials      show a store's URL, or give it a new password
  redis:promote          make a store the app's REDIS_URL
  redis:maxmemory        say what a full store does
  redis:timeout          close connections that are idle for so long
  redis:keyspace-notifications say which changes of keys are told to subscribers
  kafka:info             show a Kafka cluster
  kafka:wait             wait until a Kafka cluster is there
  kafka:credentials      give a cluster's apps a new certificate
  kafka:promote          make a cluster the app's KAFKA_URL
  kafka:topics           list the topics of a Kafka cluster
  kafka:topics:create    create a topic
  kafka:topics:destroy   destroy a topic and its messages
  kafka:topics:info      show a topic
  kafka:topics:tail      show a topic's messages as they come
  kafka:topics:write     write a message to a topic
  kafka:topics:retention-time say how long messages are kept
  kafka:topics:compaction keep the newest message of each key, or not
  kafka:consumer-groups  list consumer groups and how far they are behind
  kafka:consumer-groups:destroy forget a consumer group
  maintenance:on         turn maintenance mode on
  maintenance:off        turn maintenance mode off
  deploy                 build and release a directory, without git
  builds                 list an app's builds
  builds:info            show a build; the newest, if none is named
  builds:output          show what a build printed, as it goes on
  builds:cancel          stop a build that waits or runs
  builds:create          build and release an archive
  builds:cache:purge     empty an app's build cache
  buildpacks             list an app's buildpacks
  buildpacks:add         add a buildpack, at the end or at --index
  buildpacks:set         set an app's buildpacks, in order
  buildpacks:remove      remove a buildpack, by its name or place
  buildpacks:clear       let the next build choose the buildpack
  buildpacks:search      list the buildpacks that have a name here
  buildpacks:info        show a buildpack
  git:remote             add a git remote that deploys to an app
  git:credentials        answer git as its credential helper
  pipelines              list your pipelines
  pipelines:create       make a pipeline with an app as its first
  pipelines:info         show a pipeline's apps, their stages and what they run
  pipelines:add          put an app into a stage of a pipeline
  pipelines:update       move an app to another stage of its pipeline
  pipelines:remove       take an app out of its pipeline
  pipelines:promote      release an app's slug on the apps of the next stage
  pipelines:diff         show the commits that the next stage has not yet
  pipelines:open         print the addresses where a pipeline's apps answer
  pipelines:rename       rename a pipeline
  pipelines:transfer     give a pipeline and all its apps to another account
  pipelines:destroy      destroy a pipeline
  local                  run the Procfile on this machine
  local:run              run one command with .env
  local:check            check the Procfile and .env, and list the process types
  local:ps               list what `renga local` runs in this directory
  local:restart          restart one process of the `renga local` of this directory
  local:attach           join the terminal to one process of the `renga local` of this directory
  local:export           write the Procfile as systemd units
  login                  save a server and its token
  logout                 forget a saved server
  auth:whoami            show whose token is used
  auth:token             show the token that is used
  env                    print what points Heroku's own CLI and git at this server
  version                show the version of this program

Server:
  server                 run the platform on this machine
  server:stop            end it; --dynos stops what runs as well
  server:restart         put a newer program in its place, without a lost request

`renga help COMMAND` shows a command's page.
)";

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
    EXPECT_EQ(terminal.shown, overview_page);
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
  EXPECT_EQ(terminal.said,
            "renga has no command ps:scalle. There are: ps, ps:scale, ps:restart, ps:stop, "
            "ps:exec, ps:copy, ps:forward.\n");
  EXPECT_EQ(say("nonsense"), 2);
  EXPECT_EQ(terminal.said, "renga has no command nonsense. See `renga help`.\n");
  EXPECT_EQ(say("help nonsense"), 2);
  EXPECT_EQ(say("ps --everything"), 2);
  EXPECT_EQ(say("apps sushi"), 2);
  EXPECT_THAT(server.sent, IsEmpty());
}

TEST_F(ProgramTest, EndsWithOneAndTheServersWordsWhenRefused) {
  server.answers("GET /apps/sushi", R"({"id":"forbidden","message":"You may not see sushi."})",
                 403);
  EXPECT_EQ(say("apps:info -a sushi"), 1);
  EXPECT_EQ(terminal.said, " !    You may not see sushi.\n");
  EXPECT_EQ(terminal.shown, "");
}

TEST_F(ProgramTest, EndsWithOneWhenTheServerIsNoPlatform) {
  server.answers("GET /apps", "<html>hello</html>");
  EXPECT_EQ(say("apps"), 1);
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
  EXPECT_EQ(say({"env", "--data", (home.path / "nothing").string()}), 1);
  EXPECT_EQ(terminal.shown, "");
}

// Heroku's CLI would take the token to api.heroku.com.
TEST_F(EnvTest, PrintsNothingForAHostThatHerokusCliRefuses) {
  for (const auto* url : {"https://paas.example.com:7373", "http://paas.localhost:7373",
                          "https://localhost.example.com", "http://[::1]:7373"}) {
    surroundings.environment["RENGA_URL"] = url;
    EXPECT_EQ(say("env"), 1) << url;
    EXPECT_EQ(terminal.shown, "");
    EXPECT_THAT(terminal.said, HasSubstr("ssh -L"));
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
  EXPECT_EQ(say("auth:whoami"), 1);
  EXPECT_THAT(terminal.said, HasSubstr("No server is known"));
}

TEST_F(LoginTest, KeepsNothingWhenTheServerRefuses) {
  server.answers("GET /account", R"({"id":"unauthorized","message":"Invalid credentials."})", 401);
  terminal.answers = {"wrong"};
  EXPECT_EQ(say("login --url https://paas.example.com:7373"), 1);
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
