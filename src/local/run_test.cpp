// Lives of real processes.
#include "local/run.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "local/control.h"
#include "local/systemd.h"
#include "local/testing/temporary_directory.h"
#include "local/watch.h"
#include "os/file.h"

namespace renga::local {
namespace {
using testing::HasSubstr;
using testing::Not;

class Local : public testing::Test {
 protected:
  int run(const std::string& procfile) {
    const auto parsed = Procfile::parse(procfile);
    plan.instances = *local::plan(*parsed, "", "", 5006);
    plan.environment["PATH"] = "/usr/bin:/bin";
    plan.directory = home.path;
    const auto file = os::open_file(home.path / "out", O_RDWR | O_CREAT | O_TRUNC, 0600);
    plan.out = file.get();
    const auto status = local::run(plan);
    output = *os::read_file(home.path / "out", 64u << 20);
    EXPECT_TRUE(descendants(getpid()).empty());
    return status ? *status : -1;
  }

  TemporaryDirectory home;
  Plan plan;
  std::string output;
};

TEST_F(Local, EndsAllWithTheStatusOfTheFirst) {
  EXPECT_EQ(run("web: echo $PORT $PS $FOREMAN_WORKER_NAME >&2; exit 3\nworker: sleep 100"), 3);
  EXPECT_THAT(output, HasSubstr("web.1    | 5006 web.1 web.1\n"));
  EXPECT_THAT(output, HasSubstr("web.1    | exited with code 3\n"));
  EXPECT_THAT(output, HasSubstr("system   | sending SIGTERM to all processes\n"));
  EXPECT_THAT(output, HasSubstr("worker.1 | terminated by SIGTERM\n"));
}

TEST_F(Local, ShowsALineWithoutItsEnd) {
  EXPECT_EQ(run("web: printf 'no end'"), 0);
  EXPECT_THAT(output, HasSubstr("| no end\n"));
}

TEST_F(Local, KillsWhatIgnoresSigterm) {
  plan.exit_limit = std::chrono::milliseconds(100);
  EXPECT_EQ(run("web: sleep 0.2\nstubborn: trap '' TERM; while :; do sleep 1; done"), 0);
  EXPECT_THAT(output, HasSubstr("stubborn.1 | terminated by SIGKILL\n"));
}

TEST_F(Local, EndsWhatForksAway) {
  EXPECT_EQ(run("web: setsid sleep 1000 & (setsid sh -c 'sleep 1000 & sleep 1000' &) ; sleep 0.2"),
            0);
  // run() has looked: nothing is left.
}

TEST_F(Local, LosesNothingOfAFlood) {
  EXPECT_EQ(run("web: seq 1 50000\nquiet: echo here; sleep 100"), 0);
  EXPECT_THAT(output, HasSubstr("| 50000\n"));
  EXPECT_THAT(output, HasSubstr("| here\n"));
  EXPECT_EQ(std::ranges::count(output, '\n'), 50000 + 1 + 2 + 2 + 1);
}

TEST_F(Local, GivesEachATerminal) {
  plan.streams = Streams::terminal;
  EXPECT_EQ(run("web: test -t 0 && test -t 1 && test -t 2 && echo terminal; tty; exit 4"), 4);
  EXPECT_THAT(output, HasSubstr("| terminal\n"));
  EXPECT_THAT(output, HasSubstr("| /dev/pts/"));
  EXPECT_THAT(output, Not(HasSubstr("\r")));
}

TEST_F(Local, StartsAgainWhatEnded) {
  plan.at_exit = AtExit::start_again;
  // The second life ends everything, as Ctrl-C would.
  const auto parent = std::to_string(getpid());
  EXPECT_EQ(run("web: test -e lived && kill -INT " + parent + " && sleep 100; touch lived; exit 1"),
            128 + SIGINT);
  EXPECT_THAT(output, HasSubstr("exited with code 1"));
  EXPECT_THAT(output, HasSubstr("starts again in 0.25 s"));
  EXPECT_THAT(output, HasSubstr("SIGINT received"));
}

TEST_F(Local, StartsAgainWhenAFileChanges) {
  plan.watch = true;
  plan.at_exit = AtExit::wait;
  const auto parent = std::to_string(getpid());
  EXPECT_EQ(run("web: test -e lived && kill -TERM " + parent +
                " && sleep 100; touch lived; echo x > app.py"),
            128 + SIGTERM);
  EXPECT_THAT(output, HasSubstr("waits for a change"));
  EXPECT_THAT(output, HasSubstr("changed, starting again"));
}

class Waiting : public Local {
 protected:
  int run_with(const std::string& procfile, const std::string& after, const std::string& health) {
    const auto parsed = Procfile::parse(procfile);
    plan.waits = *Waits::parse(after, health, *parsed, *local::plan(*parsed, "", "", 5006));
    return run(procfile);
  }
  // Where `text` begins in the output.
  std::size_t place_of(const std::string& text) {
    const auto at = output.find(text);
    EXPECT_NE(at, std::string::npos) << text << " in\n" << output;
    return at;
  }
};

// A page that is 503 at first.
constexpr auto slow_server =
    "exec python3 -c 'import http.server as h,time\n"
    "begin=time.time()\n"
    "class H(h.BaseHTTPRequestHandler):\n"
    " def do_GET(self): self.send_response(200 if time.time()>begin+.4 else 503); "
    "self.end_headers()\n"
    " def log_message(self,*a): pass\n"
    "import os\n"
    "h.HTTPServer((\"127.0.0.1\",int(os.environ[\"PORT\"])),H).serve_forever()'";

TEST_F(Waiting, StartsAfterWhatItWaitsForIsHealthy) {
  home.write("server.sh", slow_server);
  EXPECT_EQ(run_with("worker: echo working; exit 7\nweb: . ./server.sh\nmigrate: echo done",
                     "worker=web,web=migrate", "web=/,migrate=exit"),
            7);
  EXPECT_LT(place_of("worker.1  | waits for web"), place_of("migrate.1 | is healthy"));
  EXPECT_LT(place_of("migrate.1 | exited with code 0"), place_of("web.1     | started"));
  EXPECT_LT(place_of("web.1     | is healthy"), place_of("worker.1  | started"));
}

TEST_F(Waiting, EndsWhenWhatIsWaitedForDoesNotComeUp) {
  plan.health_limit = std::chrono::milliseconds(300);
  EXPECT_EQ(run_with("web: sleep 100\nworker: echo never", "worker=web", ""), 1);
  EXPECT_THAT(output, HasSubstr("web.1 is not healthy after 0 s"));
  EXPECT_THAT(output, Not(HasSubstr("| never")));
}

TEST_F(Waiting, EndsWithAFailedMigration) {
  EXPECT_EQ(run_with("migrate: exit 3\nweb: echo never", "web=migrate", "migrate=exit"), 3);
  EXPECT_THAT(output, Not(HasSubstr("| never")));
}

// A clock that is a moment before the next minute.
class AlmostDue final : public Clock {
 public:
  Time now() override { return begun_ + (real_.now() - since_); }
  SteadyTime steady() override { return real_.steady(); }

 private:
  SystemClock real_;
  const Time since_ = real_.now();
  const Time begun_ = parse_rfc3339("2026-01-05T09:59:59.9Z").value();
};

TEST_F(Local, RunsScheduledJobsBesideTheProcesses) {
  AlmostDue clock;
  plan.clock = &clock;
  plan.jobs = {{"echo from the job; touch ran; exit 9", "0 10 * * *"}};
  EXPECT_EQ(run("web: while ! test -e ran; do sleep 0.05; done; sleep 0.2; exit 4"), 4);
  EXPECT_THAT(output, HasSubstr("cron.1 (0 10 * * *) runs `echo from the job; touch ran; exit 9`, "
                                "next at 2026-01-05T10:00:00Z"));
  EXPECT_THAT(output, HasSubstr("cron.1 | from the job\n"));
  EXPECT_THAT(output, HasSubstr("cron.1 | exited with code 9\n"));  // and ends nothing else
  EXPECT_THAT(output, HasSubstr("web.1  | exited with code 4\n"));
}

TEST(Watched, IsWhatAPersonChanges) {
  for (const auto* name : {".git", "node_modules", "__pycache__", "a.pyc", ".a.swp", "db.sqlite3"})
    EXPECT_TRUE(Watch::is_ignored(name)) << name;
  for (const auto* name : {"app.py", ".env", "Procfile", "catalog"})
    EXPECT_FALSE(Watch::is_ignored(name)) << name;
}

TEST(LocalControl, RefusesADirectoryThatOthersMayWrite) {
  TemporaryDirectory home;
  ::chmod(home.path.c_str(), 0777);
  EXPECT_THROW(Control(home.path, "/app"), std::system_error);
  EXPECT_FALSE(ask(home.path, "/app", "ps"));
}

TEST(Systemd, QuotesWhatSystemdWouldExpand) {
  const auto units = systemd_units(
      {{"web.1", "web", "run \"$PORT\" 100%", 5006}},
      {.app = "hello", .user = "ada", .directory = "/srv/hello", .environment = {{"A", "x\ny"}}});
  const auto& web = units.at("hello-web.1.service");
  EXPECT_THAT(web, HasSubstr("ExecStart=/bin/sh -c \"run \\\"$$PORT\\\" 100%%\"\n"));
  EXPECT_THAT(web, HasSubstr("Environment=\"A=x\\ny\"\n"));
  EXPECT_THAT(web, HasSubstr("Environment=\"PORT=5006\"\n"));
  EXPECT_THAT(units.at("hello.target"), HasSubstr("Wants=hello-web.1.service\n"));
}

}  // namespace
}  // namespace renga::local
