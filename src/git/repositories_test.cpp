// Real pushes with the git program, through the HTTP server, into real builds.
#include "git/repositories.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "builds/testing/build_house.h"
#include "git/hook_frames.h"
#include "git/migrations.h"
#include "http/server.h"
#include "os/confine.h"
#include "os/process.h"

namespace renga::git {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class RepositoriesTest : public builds::BuildHouse {
 protected:
  void SetUp() override {
    BuildHouse::SetUp();
    if (IsSkipped()) return;
    database.migrate(migrations());
    serve();
    work = directory / "work";
    git({"init", "--quiet", "--initial-branch=main", work.string()}, directory);
  }
  void TearDown() override {
    server.reset();
    repositories.reset();
    BuildHouse::TearDown();
  }

  void serve() {
    repositories.emplace(database, clock, apps, *builds, *outputs,
                         RepositoriesOptions{.directory = directory / "repositories",
                                             .hook_socket = directory / "run/hook.sock",
                                             .program = "/proc/self/exe",
                                             .watch = watch});
    repositories->start();
    http::ServerOptions wanted;
    wanted.router = [this](const http::Request&) {
      http::Route route;
      route.handler = [this](http::Request& request) {
        return repositories->serve(request, sushi, ada);
      };
      route.stream_body = true;
      return route;
    };
    server.emplace(std::move(wanted));
    server->start();
    url = "http://" + server->address() + "/sushi.git";
  }

  static os::Command command(std::vector<std::string> words, const fs::path& where) {
    words.insert(words.begin(), "git");
    return {.argv = std::move(words),
            .env = {{"GIT_AUTHOR_NAME", "Ada"},
                    {"GIT_AUTHOR_EMAIL", "ada@example.com"},
                    {"GIT_COMMITTER_NAME", "Ada"},
                    {"GIT_COMMITTER_EMAIL", "ada@example.com"},
                    {"GIT_CONFIG_GLOBAL", "/dev/null"},
                    {"GIT_TERMINAL_PROMPT", "0"},
                    {"no_proxy", "*"}},
            .directory = where};
  }
  // What git says on both streams, with its exit status as the last line.
  std::string git(const std::vector<std::string>& words, const fs::path& where) {
    const auto output = os::run(command(words, where), {}, std::chrono::seconds(60));
    return output.out + output.err + "exit " + std::to_string(output.status) + "\n";
  }
  std::string git(const std::vector<std::string>& words) { return git(words, work); }

  void commit(const Files& files) {
    for (const auto& [name, text] : files) {
      fs::create_directories((work / name).parent_path());
      std::ofstream(work / name) << text;
    }
    git({"add", "--all"});
    git({"commit", "--quiet", "--message=Say hello"});
  }
  std::string push(const std::string& what = "main") { return git({"push", url, what}); }
  std::string head() { return git({"rev-parse", "HEAD"}).substr(0, 40); }
  std::string pushed(const std::string& branch = "main") {
    return git({"ls-remote", url, "refs/heads/" + branch}).substr(0, 40);
  }

  // The branch gets there, which may be just after the build's end.
  void expect_pushed(const std::string& wanted) {
    std::string is;
    for (int i = 0; i < 500 && is != wanted; ++i) {
      is = pushed();
      usleep(20'000);
    }
    EXPECT_EQ(is, wanted);
  }

  fs::path work;
  std::string url;
  ReleaseWatch watch;
  std::optional<Repositories> repositories;
  std::optional<http::Server> server;
};

TEST_F(RepositoriesTest, SaysWhatBecomesOfTheRelease) {
  server.reset();
  watch = [this](const apps::App& app, const Id<releases::Release>& release,
                 const std::function<bool()>& goes_on) {
    EXPECT_TRUE(goes_on());
    return app.name + " v" + std::to_string(releases->find(release)->version) +
           " did not come up\n";
  };
  serve();
  commit({{"Procfile", "web: ./serve\n"}});
  EXPECT_THAT(push(), HasSubstr("remote: Verifying deploy... done.        \n"
                                "remote: sushi v3 did not come up"));
  expect_pushed(head());
}

TEST_F(RepositoriesTest, DeploysAPush) {
  commit({{"Procfile", "web: ./serve\n"},
          {"serve", "hello"},
          {".gitattributes", "serve export-ignore\n"}});
  const auto said = push();

  EXPECT_THAT(said, HasSubstr("remote: Updated 3 paths from " + head().substr(0, 7)));
  EXPECT_THAT(said, HasSubstr("remote: Compressing source files... done."));
  EXPECT_THAT(said, HasSubstr("remote: Building source:"));
  EXPECT_THAT(said, HasSubstr("remote: -----> Building on the host stack"));
  EXPECT_THAT(said, HasSubstr("remote:        Released v3"));
  EXPECT_THAT(said, HasSubstr("remote: Verifying deploy... done."));
  EXPECT_THAT(said, HasSubstr("[new branch]      main -> main\nexit 0\n"));
  EXPECT_EQ(pushed(), head());

  const auto build = builds->all(sushi.id).at(0);
  EXPECT_EQ(build.source_version, head());
  EXPECT_EQ(build.version_description, "Say hello");
  const auto slug = slugs->find(*build.slug).value();
  EXPECT_TRUE(fs::exists(slugs->directory(slug).value() / "serve"))
      << "export-ignore is not for deploys";
  EXPECT_TRUE(fs::is_empty(directory / "repositories/incoming"));
  EXPECT_GT(repositories->size(sushi.id), 0);
}

TEST_F(RepositoriesTest, LeavesTheBranchWhereItWasWhenABuildFails) {
  commit({{"Procfile", "web: x\n"}});
  push();
  const auto before = head();
  commit({{"Procfile", "web\n"}});
  const auto said = push();
  EXPECT_THAT(said, HasSubstr("remote:  !     Procfile, line 1: \"web\""));
  EXPECT_THAT(said, HasSubstr("remote:  !     Push failed"));
  EXPECT_THAT(said, HasSubstr("Push rejected to sushi."));
  EXPECT_THAT(said, HasSubstr("! [remote rejected] main -> main (pre-receive hook declined)"));
  EXPECT_EQ(pushed(), before);
}

TEST_F(RepositoriesTest, StoresOtherBranchesWithoutABuild) {
  commit({{"Procfile", "web: x\n"}});
  EXPECT_THAT(push("main:feature"),
              HasSubstr("remote: Pushed to non-main branch, skipping build."));
  EXPECT_EQ(pushed("feature"), head());
  EXPECT_TRUE(builds->all(sushi.id).empty());
  EXPECT_THAT(push("main:master"), HasSubstr("Released v3"));
  EXPECT_THAT(push(":master"), HasSubstr("cannot be deleted"));
  EXPECT_EQ(pushed("master"), head());
  EXPECT_THAT(push(":feature"), HasSubstr("[deleted]"));
}

TEST_F(RepositoriesTest, IsClonedAndFetched) {
  commit({{"Procfile", "web: x\n"}});
  push();
  EXPECT_THAT(git({"clone", url, (directory / "clone").string()}), HasSubstr("exit 0"));
  EXPECT_TRUE(fs::exists(directory / "clone/Procfile"));
}

TEST_F(RepositoriesTest, TakesPushesThatDoNotFitABuffer) {
  std::string noise;
  for (int i = 0; i < 60'000; ++i) noise += random_hex(32);
  commit({{"Procfile", "web: x\n"}, {"noise", noise}});
  EXPECT_THAT(git({"-c", "http.postBuffer=65536", "push", url, "main"}), HasSubstr("Released v3"));
}

TEST_F(RepositoriesTest, FinishesAPushWhoseClientLeaves) {
  commit({{"Procfile", "web: x\n"},
          {"compile.sh",
           "echo waiting; [[ -f $3/GO ]] || while [[ ! -f /result/go ]]; do sleep 0.05; done"}});
  {
    os::Child client(command({"push", url, "main"}, work));
    for (int i = 0; i < 1'500 && builds->all(sushi.id).empty(); ++i) usleep(20'000);
    ASSERT_FALSE(builds->all(sushi.id).empty());
    ASSERT_TRUE(says(builds->all(sushi.id).at(0), "waiting"));
  }  // killed
  const auto build = builds->all(sushi.id).at(0);
  std::ofstream(options.directory / build.id.value / "result/go") << "go";
  EXPECT_EQ(builds->wait(build.id).status, builds::BuildStatus::succeeded);
  expect_pushed(head());
}

TEST_F(RepositoriesTest, PushesOfAnAppTakeTurns) {
  commit({{"Procfile", "web: x\n"},
          {"compile.sh", "echo waiting; while [[ ! -f /result/go ]]; do sleep 0.05; done"}});
  os::Child first(command({"push", url, "main"}, work));
  for (int i = 0; i < 1'500 && builds->all(sushi.id).empty(); ++i) usleep(20'000);
  ASSERT_FALSE(builds->all(sushi.id).empty());
  const auto build = builds->all(sushi.id).at(0);
  ASSERT_TRUE(says(build, "waiting"));
  const auto pushed_first = head();

  commit({{"Procfile", "web: y\n"}});
  os::Child second(command({"push", url, "main"}, work));
  std::string said;
  for (char byte;
       said.find("waits for its end") == said.npos && read(second.out().get(), &byte, 1) == 1;)
    said += byte;
  EXPECT_THAT(said, HasSubstr("Another push to sushi is under way."));
  std::ofstream(options.directory / build.id.value / "result/go") << "go";
  EXPECT_EQ(first.wait(), 0);
  EXPECT_NE(second.wait(), 0) << "it began before the branch moved";
  EXPECT_EQ(builds->all(sushi.id).size(), 1u) << "what git would refuse is not built";
  expect_pushed(pushed_first);
}

TEST_F(RepositoriesTest, SaysSoWhenThePlatformStops) {
  commit({{"Procfile", "web: x\n"}, {"compile.sh", "echo waiting; [[ -f $3/GO ]] || sleep 600"}});
  os::Child client(command({"push", url, "main"}, work));
  for (int i = 0; i < 1'500 && builds->all(sushi.id).empty(); ++i) usleep(20'000);
  ASSERT_FALSE(builds->all(sushi.id).empty());
  const auto build = builds->all(sushi.id).at(0);
  ASSERT_TRUE(says(build, "waiting"));
  // In the order of a server that stops.
  repositories.reset();
  close();
  const auto status = client.wait_for(std::chrono::seconds(30));
  ASSERT_TRUE(status) << "git hangs";
  EXPECT_NE(*status, 0);
  EXPECT_EQ(spawner->running().size(), 0u);

  ASSERT_TRUE(releases->set_config(sushi.id, ada.id, {{"GO", "1"}}));
  server.reset();
  open();
  builds->resume();
  EXPECT_EQ(builds->wait(build.id).status, builds::BuildStatus::succeeded);
  serve();
  expect_pushed(head());
  EXPECT_THAT(push(), HasSubstr("Everything up-to-date"));
}

TEST_F(RepositoriesTest, ServesNothingElse) {
  http::Request request;
  request.method = "GET";
  for (const auto* path :
       {"/sushi.git/HEAD", "/sushi.git/objects/info/packs", "/sushi.git/config"}) {
    request.path = path;
    EXPECT_EQ(repositories->serve(request, sushi, ada).status, 403) << path;
  }
  request.path = "/sushi.git/info/refs";
  request.query = "service=git-evil";
  EXPECT_EQ(repositories->serve(request, sushi, ada).status, 403);
}

// A program in git's place tries what a git that a push has taken over would try.
TEST_F(RepositoriesTest, GitReachesItsOwnRepositoryOnly) {
  if (!os::files_can_be_confined()) GTEST_SKIP() << "this kernel has no Landlock";
  commit({{"Procfile", "web: x\n"}});
  push();
  const auto repository = directory / "repositories" / (sushi.id.value + ".git");
  const auto other = directory / "repositories/other.git";
  fs::create_directory(other);
  std::ofstream(other / "HEAD") << "ref: refs/heads/main\n";
  const auto places = directory / "programs";
  fs::create_directory(places);
  std::ofstream(places / "git") << fmt::format(R"(#!/bin/sh
printf 'Status: 200 OK\r\n\r\n'
try() {{ "$@" >/dev/null 2>&1 && echo "$*"; }}
try cat {}/HEAD
try cat {}/HEAD
try cat /etc/shadow
try touch {}/new
try touch /tmp/renga-taken-over
try ls {}
try kill -0 {}
try mount -t tmpfs none /mnt
true
)",
                                               repository.string(), other.string(), other.string(),
                                               directory.string(), getpid());
  fs::permissions(places / "git", fs::perms(0755));
  const std::string before = getenv("PATH");
  setenv("PATH", (places.string() + ":" + before).c_str(), 1);
  const auto got = os::run(
      {.argv = {"curl", "-sS", "--noproxy", "*", url + "/info/refs?service=git-upload-pack"}});
  setenv("PATH", before.c_str(), 1);
  EXPECT_THAT(got.out, HasSubstr("cat " + (repository / "HEAD").string()));
  EXPECT_THAT(got.out, Not(HasSubstr("other.git"))) << got.out;
  for (const auto* never : {"shadow", "touch", "ls ", "kill", "mount"})
    EXPECT_THAT(got.out, Not(HasSubstr(never)));
}

TEST_F(RepositoriesTest, KeepsTheHooksDoorShut) {
  struct stat status {};
  ASSERT_EQ(stat((directory / "run/hook.sock").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(RepositoriesTest, TellsAHookWhyItIsRefused) {
  for (const Frame& asked : {Frame{'d', "secret\ncommit"}, Frame{'?', ""},
                             Frame{'d', "secret\ncommit\nsubject\n0 refs/heads/main"}}) {
    const auto control = connect_to(directory / "run/hook.sock");
    ASSERT_TRUE(send(control.get(), asked));
    const auto said = receive(control.get(), std::chrono::minutes(1));
    ASSERT_TRUE(said);
    EXPECT_THAT(said->bytes, HasSubstr("Push again.")) << asked.bytes;
    const auto end = receive(control.get(), std::chrono::minutes(1));
    ASSERT_TRUE(end);
    EXPECT_EQ(end->kind, 'x');
    EXPECT_EQ(end->bytes, "1");
  }
}

TEST_F(RepositoriesTest, TakesARepositoryAway) {
  commit({{"Procfile", "web: x\n"}});
  push();
  repositories->remove(sushi.id);
  EXPECT_EQ(repositories->size(sushi.id), 0);
}

}  // namespace
}  // namespace renga::git
