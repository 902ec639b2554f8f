// The engines, each against the one contract.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/random.h"
#include "dynos/engines/engines.h"
#include "dynos/engines/local/port_probe.h"
#include "dynos/testing/engine_contract_test.h"
#include "dynos/testing/fake_engine.h"
#include "dynos/testing/platform.h"
#include "os/file.h"
#include "os/process.h"

namespace renga::dynos {
namespace {

class FakeHouse final : public EngineHouse {
 public:
  Engine& engine() override { return engine_; }
  Id<apps::App> app() override { return {"app"}; }
  Id<releases::Slug> slug() override { return {"slug"}; }
  bool answers(const Endpoint&) override { return true; }

 private:
  SystemClock clock_;
  FakeEngine engine_{clock_};
};

// Real sandboxes, made by this test program as its own spawner, with renga-init built beside it.
class LocalHouse final : public EngineHouse {
 public:
  LocalHouse() { boot(); }
  ~LocalHouse() override {
    engine_.reset();
    for (const auto& id : spawner_->ids()) spawner_->remove(id);
    spawner_->leave_host();
    spawner_.reset();
  }
  static std::optional<std::string> unsupported() {
    if (geteuid() != 0) return "needs root";
    return sandbox::Spawner::unsupported();
  }

  // A new control; the old one's dynos run on.
  void boot() {
    engine_.reset();
    spawner_.reset();
    const auto self = std::filesystem::read_symlink("/proc/self/exe");
    sandbox::SpawnerOptions options{self, self.parent_path() / "renga-init",
                                    platform_.scratch.path / "run", name_};
    spawner_.emplace(options);
    LocalEngineOptions engine;
    engine.log_socket = platform_.scratch.path / "sockets" / "log";
    engine_ = local_engine(platform_.database, clock_, platform_.uids, platform_.slugs, *spawner_,
                           platform_.logs, platform_.outputs, engine);
  }
  Platform& platform() { return platform_; }

  Engine& engine() override { return *engine_; }
  Id<apps::App> app() override { return platform_.sushi.id; }
  Id<releases::Slug> slug() override { return slug_.id; }
  bool answers(const Endpoint& endpoint) override {
    return accepts_connections(endpoint.host, endpoint.port, std::chrono::seconds(1));
  }
  std::string log() override { return platform_.log(); }

 private:
  SystemClock clock_;
  Platform platform_{clock_};
  releases::Slug slug_ = platform_.slug({{"web", "serve"}});
  std::string name_ = "dyno" + random_hex(3);
  std::optional<sandbox::Spawner> spawner_;
  std::unique_ptr<Engine> engine_;
};

const EngineKind fake{"fake", [] { return std::optional<std::string>(); },
                      [] { return std::make_unique<FakeHouse>(); }};
const EngineKind local{"local", LocalHouse::unsupported,
                       [] { return std::make_unique<LocalHouse>(); }};

INSTANTIATE_TEST_SUITE_P(Engines, EngineContract, testing::Values(fake, local),
                         [](const auto& kind) { return kind.param.name; });

// What only the local engine promises.
class LocalEngineTest : public EngineContract {
 protected:
  LocalHouse& local_house() { return dynamic_cast<LocalHouse&>(*house); }
  void run_to_end(const OneOff& job) {
    const auto dyno = engine().run(spec(1, {}), job);
    ASSERT_TRUE(dyno) << dyno.error().message;
    ASSERT_TRUE(eventually([&] { return engine().one_off(job.id)->exit_status.has_value(); }));
  }
};
INSTANTIATE_TEST_SUITE_P(Local, LocalEngineTest, testing::Values(local),
                         [](const auto& kind) { return kind.param.name; });

TEST_P(LocalEngineTest, TheOutputIsInTheLogAndInTheStreamWhenTheEndIsKnown) {
  engine().apply(spec(1, {}));
  auto job = one_off("cat hello.txt; echo; echo $GREETING from $DYNO >&2");
  job.output_stream = local_house().platform().outputs.create();
  run_to_end(job);
  local_house().platform().outputs.finish(job.output_stream);

  std::string streamed;
  local_house().platform().outputs.follow(job.output_stream, 0, [&](std::string_view bytes) {
    streamed += bytes;
    return true;
  });
  const auto name = engine().one_off(job.id)->name();
  EXPECT_EQ(streamed, "hello\nhello from " + name + "\n");
  EXPECT_THAT(house->log(), testing::HasSubstr(" app[" + name + "]: hello from " + name + "\n"));
  EXPECT_THAT(house->log(),
              testing::HasSubstr(" heroku[" + name + "]: Process exited with status 0\n"));
}

TEST_P(LocalEngineTest, AnAppHasFiftyOneOffsAtATimeAndNoMore) {
  engine().apply(spec(1, {}));
  auto waits = one_off("true");  // for a client, and so without a sandbox
  waits.attached = true;
  for (int count = 0; count < 50; ++count) {
    waits.id = Id<Dyno>::create();
    ASSERT_TRUE(engine().run(spec(1, {}), waits));
  }
  const auto refused = engine().run(spec(1, {}), one_off("true"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::rate_limited);
  ASSERT_TRUE(engine().stop(house->app(), engine().one_off(waits.id)->name()));
  EXPECT_TRUE(eventually([&] { return engine().run(spec(1, {}), one_off("true")).has_value(); }));
}

TEST_P(LocalEngineTest, ProfileScriptsAreSourcedAndTheCommandNeedsNoQuoting) {
  engine().apply(spec(1, {}));
  auto job = one_off("echo \"it's $HOME\" '$HOME' | grep -c HOME; exit 4");
  run_to_end(job);
  EXPECT_EQ(engine().one_off(job.id)->exit_status, 4);
}

TEST_P(LocalEngineTest, ACommandBesideADynoHasItsEnvironmentAndItsStatus) {
  engine().apply(spec(1, {worker(1)}));
  ASSERT_TRUE(becomes({"worker.1@v1 up"}));
  const auto dyno = engine().dynos(house->app()).at(0).id;
  const Exec wanted{"cat hello.txt; echo $GREETING $MORE $DYNO; exit 6", {{"MORE", "more"}}, {}, 0};
  const auto beside = engine().exec(spec(1, {}), dyno, wanted);
  ASSERT_TRUE(beside) << beside.error().message;
  std::string said;
  int status = -1;
  pollfd waits[] = {{beside->output.get(), POLLIN, 0}, {beside->leash.get(), POLLIN, 0}};
  ASSERT_TRUE(eventually([&] {
    poll(waits, 2, 10);
    char bytes[512];
    for (ssize_t got; (got = read(beside->output.get(), bytes, sizeof bytes)) > 0;)
      said.append(bytes, static_cast<std::size_t>(got));
    return status >= 0 || recv(beside->leash.get(), &status, sizeof status, MSG_DONTWAIT) > 0;
  }));
  EXPECT_EQ(status, 6);
  EXPECT_EQ(said, "hellohello more worker.1\n");
  const auto nowhere = engine().exec(spec(1, {}), Id<Dyno>::create(), wanted);
  EXPECT_EQ(nowhere.error().kind, Kind::not_found);
}

TEST_P(LocalEngineTest, DynosOutliveControlAndKeepTheirIds) {
  engine().apply(spec(1, {web(1), worker(1)}));
  ASSERT_TRUE(becomes({"web.1@v1 up", "worker.1@v1 up"}));
  const auto before = ids();
  // The router is told in the same pass, just after the state.
  ASSERT_TRUE(eventually([&] { return engine().endpoints(house->app()).up.size() == 1; }));
  const auto endpoint = engine().endpoints(house->app()).up.at(0);
  local_house().boot();
  engine().start();
  EXPECT_EQ(ids(), before);
  EXPECT_EQ(engine().endpoints(house->app()).up.at(0), endpoint);
  engine().apply(spec(1, {web(1), worker(1)}));
  EXPECT_TRUE(house->answers(endpoint));
  EXPECT_TRUE(becomes({"web.1@v1 up", "worker.1@v1 up"}));
  EXPECT_EQ(ids(), before);
}

}  // namespace
}  // namespace renga::dynos
