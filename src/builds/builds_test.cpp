#include "builds/builds.h"

#include <sys/mount.h>

#include <thread>

#include "base/text.h"
#include "builds/full_disk.h"
#include "builds/testing/build_house.h"
#include "os/file.h"

namespace renga::builds {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class BuildsTest : public BuildHouse {};

TEST_F(BuildsTest, DeploysAnApp) {
  const auto build = run({{"Procfile", "web: ./serve\nworker: ./work\n"}});

  ASSERT_EQ(build.status, BuildStatus::succeeded) << output(build);
  const auto release = releases->find(*build.release).value();
  EXPECT_EQ(release.version, 3);
  EXPECT_EQ(release.description, "Deploy e6442b7c");
  const auto slug = slugs->find(*build.slug).value();
  EXPECT_EQ(slug.process_types, (releases::ProcessTypes{{"web", "./serve"}, {"worker", "./work"}}));
  EXPECT_TRUE(fs::exists(slugs->directory(slug).value() / "Procfile"));
  EXPECT_EQ(installations.all(sushi.id).at(0).name(), "heroku/procfile")
      << "what was detected is pinned";
  EXPECT_FALSE(fs::exists(options.directory / build.id.value)) << "nothing is left of the build";

  const auto text = output(build);
  auto lines = text::lines(text);
  ASSERT_GT(lines.size(), 8u);
  EXPECT_THAT(lines[7], HasSubstr("       Done: "));
  lines.erase(lines.begin() + 7);
  EXPECT_THAT(lines,
              ElementsAre("-----> Building on the host stack",
                          "-----> Determining which buildpack to use for this app",
                          "-----> Procfile app detected", "-----> Discovering process types",
                          "       Procfile declares types -> web, worker", "",
                          "-----> Compressing...", "-----> Launching...", "       Released v3",
                          "       http://sushi.localhost:8080/ deployed to renga", ""));
}

TEST_F(BuildsTest, TellsTheAppsLog) {
  run({{"Procfile", "web: x"}});
  EXPECT_THAT(log_of(sushi), ElementsAre("app[api]: Build started by user ada@example.com",
                                         "app[api]: Deploy e6442b7c by user ada@example.com",
                                         "app[api]: Release v3 created by user ada@example.com",
                                         "app[api]: Build succeeded"));
}

TEST_F(BuildsTest, SaysThatAReleaseCommandIsDeclared) {
  const auto build = run({{"Procfile", "release: ./migrate\nweb: x"}});
  EXPECT_THAT(output(build),
              HasSubstr("-----> Launching...\n"
                        " !     Release command declared: this new release will not be available "
                        "until the command succeeds.\n       Released v3\n"));
}

TEST_F(BuildsTest, RefusesWhatItDoesNotKnow) {
  const auto build = run({{"index.html", "hello"}});
  EXPECT_EQ(build.status, BuildStatus::failed);
  EXPECT_EQ(build.failure, "No default language could be detected for this app.");
  EXPECT_THAT(output(build),
              HasSubstr(" !     No default language could be detected for this app.\n\t\t\tHINT:"));
  EXPECT_THAT(output(build), HasSubstr("\n !     Push failed\n"));
  EXPECT_EQ(releases->newest(sushi.id).version, 2);
}

TEST_F(BuildsTest, RefusesABadProcfileBeforeItBuilds) {
  const auto build = run({{"Procfile", "web: x\nworker\n"}, {"compile.sh", "echo compiling"}});
  EXPECT_THAT(build.failure, HasSubstr("Procfile, line 2"));
  EXPECT_THAT(output(build), Not(HasSubstr("compiling")));
}

TEST_F(BuildsTest, FailsWithItsBuildpack) {
  const auto build = run({{"compile.sh", "echo working; exit 3"}});
  EXPECT_EQ(build.failure, "Push rejected, failed to compile Script app.");
  EXPECT_THAT(
      output(build),
      HasSubstr("-----> Script app detected\nworking\n\n"
                " !     Push rejected, failed to compile Script app.\n\n !     Push failed\n"));
}

TEST_F(BuildsTest, RunsTheBuildpacksThatAreSet) {
  ASSERT_TRUE(installations.replace(sushi.id, {"heroku/script", "heroku/procfile"}));
  const auto both = run({{"Procfile", "web: x"}, {"compile.sh", "echo compiling"}});
  EXPECT_THAT(output(both), HasSubstr("-----> Using buildpacks:\n       1. heroku/script\n"));
  EXPECT_EQ(both.buildpacks, (std::vector<std::string>{"heroku/script", "heroku/procfile"}));

  const auto refused = run({{"Procfile", "web: x"}});
  EXPECT_THAT(output(refused),
              HasSubstr("-----> App not compatible with buildpack: heroku/script\n"));
}

TEST_F(BuildsTest, GivesABuildpackWhatHerokuDoes) {
  ASSERT_TRUE(releases->set_config(sushi.id, ada.id, {{"SECRET", "a b"}}));
  const auto build =
      run({{"compile.sh",
            "echo \"env $(cat \"$3/SECRET\") [$SECRET] $(stat -c %a \"$3/SECRET\")\"\n"
            "echo \"$STACK $SOURCE_VERSION $HOME $(id -u)\"\n"
            "echo export > \"$(dirname \"$0\")/../export\" && touch \"$HOME/x\" \"$2/x\" && echo "
            "written"}});
  EXPECT_THAT(output(build), HasSubstr("env a b [] 600\n"));
  EXPECT_THAT(output(build),
              HasSubstr("host e6442b7ce6442b7ce6442b7ce6442b7ce6442b7c /app 1000\nwritten\n"));
  EXPECT_THAT(output(build), HasSubstr("       Procfile declares types     -> (none)\n"
                                       "       Default types for buildpack -> console\n"));
}

TEST_F(BuildsTest, LetsBuildsSeeTheOperatorsSettings) {
  close();
  std::ofstream(directory / "ca.pem") << "certificates";
  options.environment = {{"PIP_INDEX_URL", "http://index"},
                         {"SSL_CERT_FILE", (directory / "ca.pem").string()}};
  open();
  const auto build = run({{"compile.sh", "echo \"$PIP_INDEX_URL $(cat $SSL_CERT_FILE)\""}});
  EXPECT_THAT(output(build), HasSubstr("http://index certificates\n"));
}

TEST_F(BuildsTest, KeepsTheCacheOfBuildsThatSucceed) {
  const std::string show = "cat \"$2/kept\" 2>/dev/null || echo none; ";
  run({{"compile.sh", show + "echo first > \"$2/kept\""}});
  EXPECT_THAT(output(run({{"compile.sh", show + "echo second > \"$2/kept\"; exit 1"}})),
              HasSubstr("first\n"));
  EXPECT_THAT(output(run({{"compile.sh", show}})), HasSubstr("first\n"));
  builds->clear_cache(sushi.id);
  EXPECT_THAT(output(run({{"compile.sh", show}})), HasSubstr("none\n"));
}

TEST_F(BuildsTest, IsNotFooledByWhatABuildLeaves) {
  std::ofstream(directory / "secret") << "default_process_types: {stolen: secret}";
  const auto secret = (directory / "secret").string();
  const auto build = run({{"compile.sh", "ln -s " + secret + " Procfile; ln -s " + secret +
                                             " /result/release; "
                                             "mkfifo fifo; echo '99\tX' >> /result/names"}});
  EXPECT_THAT(output(build), Not(HasSubstr("stolen")));
}

TEST_F(BuildsTest, AppliesSlugignore) {
  const auto build = run({{"Procfile", "web: x"}, {".slugignore", "*.psd\n"}, {"a/b.psd", "x"}});
  EXPECT_THAT(output(build), HasSubstr("-----> Deleting 1 files matching .slugignore patterns.\n"));
  EXPECT_FALSE(fs::exists(slugs->directory(slugs->find(*build.slug).value()).value() / "a/b.psd"));
}

TEST_F(BuildsTest, TakesAnArchiveOfOneDirectoryForTheAppInIt) {
  const Files files = {{"hello-main/Procfile", "web: x"}, {"hello-main/lib/a", "x"}};
  EXPECT_EQ(run(files).status, BuildStatus::failed) << "a git push is as it was committed";
  NewBuild wanted;
  wanted.source_archive = archive(files);
  wanted.source_url = "https://forge.example.com/hello/main.tar.gz";
  const auto build = builds->wait(builds->start(sushi, ada, wanted).value().id);
  ASSERT_EQ(build.status, BuildStatus::succeeded) << output(build);
  const auto slug = slugs->directory(slugs->find(*build.slug).value()).value();
  EXPECT_TRUE(fs::exists(slug / "Procfile"));
  EXPECT_TRUE(fs::exists(slug / "lib/a"));
}

TEST_F(BuildsTest, BuildsACommitOfARepository) {
  const auto source = directory / "work";
  const auto git = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"git", "-C", source.string(), "-c", "user.name=t", "-c",
                                 "user.email=t@example.com"});
    const auto done = os::run({.argv = words});
    EXPECT_EQ(done.status, 0) << done.err;
    return done.out.substr(0, 40);
  };
  fs::create_directories(source / "bin");
  git({"init", "-q"});
  std::ofstream(source / "Procfile") << "web: bin/web\n";
  std::ofstream(source / "bin/web") << "first";
  fs::create_symlink("bin/web", source / "link");
  git({"add", "-A"});
  git({"commit", "-q", "-m", "one"});
  NewBuild wanted;
  wanted.source_directory = source / ".git";
  wanted.version = git({"rev-parse", "HEAD"});
  std::ofstream(source / "bin/web") << "second";
  git({"commit", "-q", "-a", "-m", "two"});

  const auto build = builds->wait(builds->start(sushi, ada, wanted)->id);
  ASSERT_EQ(build.status, BuildStatus::succeeded) << output(build);
  const auto app = slugs->directory(slugs->find(*build.slug).value()).value();
  EXPECT_EQ(os::read_file(app / "bin/web"), "first");
  EXPECT_EQ(fs::read_symlink(app / "link"), "bin/web");
  EXPECT_FALSE(fs::exists(app / ".git"));

  // What a repository does not have, git's hook does not ask for.
  for (const auto& version :
       {std::string(40, '0'), "--output=" + (directory / "escaped").string()}) {
    wanted.version = version;
    EXPECT_EQ(builds->wait(builds->start(sushi, ada, wanted)->id).failure,
              "The platform failed to carry out this build.");
  }
  EXPECT_FALSE(fs::exists(directory / "escaped"));
}

TEST_F(BuildsTest, StopsABuildThatTakesTooLong) {
  const auto build = start({{"compile.sh", "echo waiting; sleep 600"}});
  ASSERT_TRUE(says(build, "waiting"));
  clock.advance(options.time_limit);
  EXPECT_EQ(builds->wait(build.id).failure,
            "The build took longer than 15 minutes and was stopped.");
  EXPECT_TRUE(spawner->running().empty());
}

TEST_F(BuildsTest, CancelsBuildsThatRunAndThatWait) {
  const auto first = start({{"compile.sh", "echo waiting; sleep 600"}});
  const auto second = start({{"Procfile", "web: x"}});
  ASSERT_TRUE(says(first, "waiting"));
  EXPECT_EQ(builds->find(sushi.id, second.id.value)->status, BuildStatus::pending)
      << "one at a time per app";
  EXPECT_TRUE(says(second, "-----> Waiting for another build of this app to end\n"));
  EXPECT_EQ(builds->cancel(sushi.id, second.id.value)->failure, "The build was cancelled.");
  EXPECT_EQ(builds->cancel(sushi.id, first.id.value)->failure, "The build was cancelled.");
  EXPECT_EQ(builds->cancel(sushi.id, first.id.value).error().kind, Kind::conflict);
  EXPECT_EQ(releases->newest(sushi.id).version, 2);
}

TEST_F(BuildsTest, RefusesSourcesAtTheDoor) {
  std::ofstream(directory / "noise.tar") << std::string(2'000, 'x');
  NewBuild wanted;
  EXPECT_EQ(builds->start(sushi, ada, wanted).error().kind, Kind::invalid);
  wanted.source_archive = directory / "noise.tar";
  EXPECT_EQ(builds->start(sushi, ada, wanted).error().kind, Kind::invalid);
  wanted.source_archive = archive({{"Procfile", "web: x"}});
  wanted.checksum = "SHA256:" + std::string(64, '0');
  EXPECT_THAT(builds->start(sushi, ada, wanted).error().message,
              HasSubstr("does not have the checksum"));
  wanted.checksum.clear();
  wanted.buildpacks = {"ssh://example.com/buildpack"};
  EXPECT_EQ(builds->start(sushi, ada, wanted).error().kind, Kind::invalid);
  wanted.buildpacks = {directory.string()};
  EXPECT_EQ(builds->start(sushi, ada, wanted).error().kind, Kind::forbidden);
  EXPECT_TRUE(builds->all(sushi.id).empty());
}

// A stranger's buildpack in a git repository of the operator's.
class ThirdPartyTest : public BuildHouse {
 protected:
  void SetUp() override {
    BuildHouse::SetUp();
    if (!builds) return;
    close();
    fs::create_directories(ours);
    options.local_buildpacks = {ours};
    open();
  }
  void write(const std::string& name, const std::string& text) {
    fs::create_directories((ours / name).parent_path());
    std::ofstream(ours / name) << text;
  }
  void git(std::vector<std::string> words) {
    words.insert(words.begin(), {"git", "-C", (ours / "lang").string(), "-c", "user.name=t", "-c",
                                 "user.email=t@example.com"});
    const auto done = os::run({.argv = words});
    ASSERT_EQ(done.status, 0) << done.err;
  }
  void commit(const std::string& version) {
    write("lang/bin/detect", "#!/bin/bash\necho Lang\n");
    write("lang/bin/compile", "#!/bin/bash\necho \"       lang " + version +
                                  "\"\nmkdir -p $1/.profile.d\necho export LANG_HOME=" + version +
                                  " > $1/.profile.d/lang.sh\n"
                                  "echo export LANG_VERSION=" +
                                  version + " > \"$(dirname \"$0\")/../export\"\n");
    git({"add", "-A"});
    git({"commit", "-q", "-m", version});
  }
  const fs::path ours = fs::temp_directory_path() / ("renga-ours-" + random_hex(6));
  void TearDown() override {
    BuildHouse::TearDown();
    fs::remove_all(ours);
  }
};

TEST_F(ThirdPartyTest, RunsFromARepositoryAtAnyVersion) {
  write("lang/README", "");
  git({"init", "-q", "-b", "main"});
  commit("one");
  git({"tag", "v1"});
  commit("two");
  const auto lang = (ours / "lang/.git").string();

  ASSERT_TRUE(installations.replace(sushi.id, {"file://" + lang + "#v1", "heroku/script"}));
  const auto old = run({{"compile.sh", "echo \"sees $LANG_VERSION\""}});
  ASSERT_EQ(old.status, BuildStatus::succeeded) << output(old);
  EXPECT_THAT(output(old), HasSubstr("-----> Fetching buildpack file://" + lang + "#v1\n"));
  EXPECT_THAT(output(old), HasSubstr("-----> Lang app detected\n       lang one\n"));
  EXPECT_THAT(output(old), HasSubstr("sees one\n"));
  EXPECT_TRUE(fs::exists(slugs->directory(*slugs->find(*old.slug)).value() / ".profile.d/lang.sh"));

  // .buildpacks counts when nothing is set, and pins nothing.
  const Files listed{{".buildpacks", "# ours\n" + lang + "\nprocfile\n"}, {"Procfile", "web: x"}};
  EXPECT_THAT(output(run(listed)), HasSubstr(".buildpacks is not read"));
  ASSERT_TRUE(installations.replace(sushi.id, {}));
  const auto newest = run(listed);
  EXPECT_THAT(output(newest), HasSubstr("       lang two\n"));
  EXPECT_EQ(newest.buildpacks, (std::vector<std::string>{lang, "heroku/procfile"}));
  EXPECT_TRUE(installations.all(sushi.id).empty());
}

TEST_F(ThirdPartyTest, IsRefusedWhenItIsNotOne) {
  write("empty/README", "");
  write("half/bin/detect", "#!/bin/bash\necho Half\n");
  const auto tried = [&](const std::string& name) {
    EXPECT_TRUE(installations.replace(sushi.id, {name}));
    return run({{"Procfile", "web: x"}});
  };
  const auto empty = tried((ours / "empty").string());
  EXPECT_EQ(empty.status, BuildStatus::failed);
  EXPECT_THAT(output(empty), HasSubstr(" could not be fetched. Check its address"));
  const auto half = tried((ours / "half").string());
  EXPECT_THAT(output(half), HasSubstr("half is no buildpack: it has no bin/compile.\n"));
  // A build reaches neither the host nor private addresses; and its password is not shown.
  const auto host = tried("http://me:hush@127.0.0.1:1/buildpack.tgz");
  EXPECT_EQ(host.failure, "The buildpack http://127.0.0.1:1/buildpack.tgz could not be had.");
  EXPECT_THAT(output(host), Not(HasSubstr("hush")));
}

TEST_F(ThirdPartyTest, MayEndTheBuildAndItIsSaidHow) {
  write("fatal/bin/detect", "#!/bin/bash\nkill -9 -1\n");
  write("fatal/bin/compile", "#!/bin/bash\n");
  ASSERT_TRUE(installations.replace(sushi.id, {(ours / "fatal").string()}));
  const auto build = run({{"a", "b"}});
  EXPECT_EQ(build.failure,
            "Push rejected, the build ended with status 137 before a buildpack was found.");
  EXPECT_THAT(output(build), HasSubstr(" !     " + build.failure));
}

TEST_F(ThirdPartyTest, IsAskedForItsReport) {
  write("told/bin/detect", "#!/bin/bash\necho Told\n");
  write("told/bin/compile", "#!/bin/bash\nexit 1\n");
  write("told/bin/report", "#!/bin/bash\necho reported >> $2/report; echo '{}'; exit 3\n");
  write("told/bin/release", "#!/bin/bash\ncat $HOME/none; echo '--- {}'\n");
  ASSERT_TRUE(installations.replace(sushi.id, {(ours / "told").string()}));
  EXPECT_EQ(run({{"a", "b"}}).failure, "Push rejected, failed to compile Told app.");
  write("told/bin/compile", "#!/bin/bash\ncat $2/report\n");
  EXPECT_EQ(run({{"a", "b"}}).failure, "Push rejected, failed to compile Told app.")
      << "the cache of a failed build is not kept";
  write("told/bin/compile", "#!/bin/bash\ntrue\n");
  EXPECT_EQ(run({{"a", "b"}}).status, BuildStatus::succeeded);
  write("told/bin/compile", "#!/bin/bash\ncat $2/report\n");
  EXPECT_THAT(output(run({{"a", "b"}})), HasSubstr("reported\n"));
}

TEST_F(ThirdPartyTest, SubmodulesNeedAnAddress) {
  NewBuild wanted;
  wanted.source_archive = archive(
      {{"Procfile", "web: x"}, {".gitmodules", "[submodule \"lib\"]\npath = lib\nurl = ../lib\n"}});
  wanted.submodules = {{"lib", std::string(40, 'a')}};
  const auto build = builds->wait(builds->start(sushi, ada, wanted)->id);
  EXPECT_EQ(build.failure, "A submodule of the app could not be fetched.");
  EXPECT_THAT(output(build), HasSubstr(" !     The submodule lib cannot be fetched: .gitmodules "
                                       "has no http or https URL for it, but ../lib.\n"));
}

TEST_F(BuildsTest, CarriesOnAfterControlEndedInTheMiddle) {
  const auto build =
      start({{"Procfile", "web: x"}, {"compile.sh", "echo attempt; [[ -f $3/GO ]] || sleep 600"}});
  ASSERT_TRUE(says(build, "attempt"));
  close();
  EXPECT_TRUE(spawner->running().empty());
  ASSERT_TRUE(releases->set_config(sushi.id, ada.id, {{"GO", "1"}}));

  open();
  builds->resume();
  const auto done = builds->wait(build.id);
  EXPECT_EQ(done.status, BuildStatus::succeeded);
  EXPECT_THAT(output(done), HasSubstr("-----> The platform was restarted: building again\n"));
  EXPECT_EQ(releases->newest(sushi.id).version, 4) << "one release, after the config var's";
}

TEST_F(BuildsTest, TakesAwayWhatNobodyNeedsWhenItStarts) {
  close();
  fs::create_directories(options.directory / "never-accepted/app");
  open();
  builds->resume();
  EXPECT_FALSE(fs::exists(options.directory / "never-accepted"));
}

TEST_F(BuildsTest, ForgetsAnAppThatIsDestroyed) {
  const auto build = start({{"compile.sh", "echo waiting; sleep 600"}});
  ASSERT_TRUE(says(build, "waiting"));
  builds->forget(sushi.id);
  EXPECT_TRUE(spawner->running().empty());
  EXPECT_TRUE(apps.destroy(sushi.id));
  EXPECT_TRUE(builds->all(sushi.id).empty());
}

// Builds have a disk of their own, of 64 MB; so nothing can be moved or linked from it, either.
class SmallDisk : public BuildHouse {
 protected:
  void SetUp() override {
    BuildHouse::SetUp();
    if (!builds) return;
    close();
    fs::create_directories(options.directory);
    ASSERT_EQ(mount("renga-test", options.directory.c_str(), "tmpfs", MS_NODEV, "size=64m"), 0);
    open();
  }
  void TearDown() override {
    builds.reset();
    umount2(options.directory.c_str(), MNT_DETACH);
    BuildHouse::TearDown();
  }
};

TEST_F(SmallDisk, StopsABuildThatFillsItAndTakesTheNext) {
  // Somebody else's, so that the disk is full before the build has had its half.
  std::ofstream(options.directory / "caches/of another app") << std::string(40 << 20, 'x');
  const auto full = run({{"compile.sh", "echo filling; cat /dev/zero > big; sleep 600"}});
  EXPECT_EQ(full.failure, "The disk of this server is full, or nearly, and the build was stopped.");
  EXPECT_THAT(output(full), HasSubstr(" !     Ask its operator to free some space"));
  EXPECT_TRUE(spawner->running().empty());

  NewBuild large;
  large.source_archive = archive({{"compile.sh", ""}, {"big", std::string(16 << 20, 'x')}});
  const auto refused = builds->start(sushi, ada, large);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::unavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("The disk of this server is full"));

  const std::string text(5'000, 'x');
  const auto next = run({{"compile.sh", ""}, {"text", text}});
  ASSERT_EQ(next.status, BuildStatus::succeeded) << output(next);
  std::ifstream in(slugs->directory(slugs->find(*next.slug).value()).value() / "text");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text);
}

TEST_F(SmallDisk, TellsAFullDiskFromABrokenOne) {
  const std::system_error broken(EIO, std::generic_category(), "copy");
  EXPECT_FALSE(is_full_disk(broken, options.directory));
  EXPECT_TRUE(is_full_disk(std::system_error(ENOSPC, std::generic_category()), options.directory));
  std::ofstream(options.directory / "caches/of another app") << std::string(63 << 20, 'x');
  EXPECT_TRUE(is_full_disk(broken, options.directory)) << "as others say it";
  EXPECT_FALSE(is_full_disk(std::runtime_error("copy"), options.directory));
}

TEST_F(SmallDisk, HasRoomForHalfOfItInABuild) {
  for (const auto* where : {"$1/big", "$2/big", "$HOME/big"}) {
    const auto build = run({{"compile.sh", std::string("head -c 40M /dev/zero > ") + where +
                                               "; echo written; sleep 600"}});
    EXPECT_EQ(build.failure, "The build wrote more than 32.0M to the disk and was stopped.")
        << where;
    EXPECT_THAT(output(build), HasSubstr(" !     Find what writes so much above"));
  }
  EXPECT_TRUE(spawner->running().empty());
  EXPECT_EQ(run({{"compile.sh", "head -c 20M /dev/zero > big"}}).status, BuildStatus::succeeded);
}

class SmallSlugs : public BuildHouse {
 protected:
  SmallSlugs() { slug_limits = {.bytes = 4'096, .entries = 200}; }
};

TEST_F(SmallSlugs, AreSaidToBeTooSmall) {
  const auto build = run({{"compile.sh", "head -c 100000 /dev/urandom > big"}});
  EXPECT_EQ(build.status, BuildStatus::failed);
  EXPECT_THAT(
      output(build),
      HasSubstr(" !     The slug could not be made. Compiled slug size: 0.1M is too large"));
  EXPECT_THAT(output(build), HasSubstr(" !     Request ID: " + build.id.value));
}

TEST_F(SmallSlugs, HaveOnlySoManyFiles) {
  const auto build = run({{"compile.sh", "mkdir many; cd many; touch $(seq 300)"}});
  EXPECT_EQ(build.status, BuildStatus::failed);
  EXPECT_THAT(output(build), HasSubstr(" !     The slug could not be made. The app has more than "
                                       "200 files."));
}

}  // namespace
}  // namespace renga::builds
