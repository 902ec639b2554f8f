#include "dynos/rendezvous.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <random>

#include "base/testing/fake_clock.h"
#include "dynos/testing/fake_engine.h"

namespace renga::dynos {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A connection whose client is the test.
class FakeConnection final : public http::RawConnection {
 public:
  std::string read() override {
    auto state = state_.lock();
    state.wait_for(changed_, std::chrono::seconds(20),
                   [&] { return !state->input.empty() || state->over; });
    return std::exchange(state->input, {});
  }
  bool write(std::string_view bytes) override {
    auto state = state_.lock();
    if (!state->over) state->records.emplace_back(bytes);
    return !state->over;
  }
  bool try_write(std::string_view bytes) override { return write(bytes); }
  bool open() const override { return !state_.lock()->over; }
  void on_closed(std::function<void()>) override {}
  void finish() override {
    state_.lock()->over = true;
    changed_.notify_all();
  }

  void say(std::string_view bytes) {
    state_.lock()->input += bytes;
    changed_.notify_all();
  }
  std::vector<std::string> rest() {  // once it is over
    auto state = state_.lock();
    state.wait_for(changed_, std::chrono::seconds(20), [&] { return state->over; });
    return state->records;
  }

 private:
  struct State {
    std::string input;
    std::vector<std::string> records;
    bool over = false;
  };
  mutable Locked<State> state_;
  std::condition_variable changed_;
};

class RendezvousTest : public testing::Test {
 protected:
  RendezvousTest() {
    engine.set_events(
        {.on_change = [this](const Dyno& changed) { rendezvous.dyno_changed(changed); }});
    spec.app = Id<apps::App>::create();
    spec.slug = Id<releases::Slug>{"slug"};
  }
  // A dyno that waits, and its secret.
  std::string wait(std::optional<Window> terminal) {
    OneOff wanted;
    wanted.id = dyno;
    wanted.command = "cat";
    wanted.attached = true;
    const auto secret = rendezvous.expect(dyno, terminal).value();
    EXPECT_TRUE(engine.run(spec, wanted));
    return secret;
  }
  static Exec command(std::string text) {
    Exec exec;
    exec.command = std::move(text);
    return exec;
  }
  static std::string read_all(const os::Fd& fd) {
    std::string all;
    char bytes[100];
    for (ssize_t got = 0; (got = ::read(fd.get(), bytes, sizeof bytes)) > 0;)
      all.append(bytes, static_cast<std::size_t>(got));
    return all;
  }
  static void write_out(const os::Fd& fd, std::string_view bytes) {
    EXPECT_EQ(::write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }

  FakeClock clock;
  FakeEngine engine{clock};
  Rendezvous rendezvous{engine};
  AppSpec spec;
  const Id<Dyno> dyno = Id<Dyno>::create();
  const std::shared_ptr<FakeConnection> client = std::make_shared<FakeConnection>();
};

TEST_F(RendezvousTest, CarriesBytesUntilTheDynoHasEnded) {
  rendezvous.on_line(wait(std::nullopt), client);
  auto process = engine.process(dyno);
  client->say(std::string("in\x04put\x04"));
  EXPECT_EQ(read_all(process.input), "in\x04put");
  write_out(process.output, "bye\n\xEF\xBF\xBF heroku-command-");
  write_out(process.output, "exit-status: 3\n");
  process.output.close();
  engine.end_one_off(dyno, 3);
  EXPECT_THAT(client->rest(), ElementsAre("rendezvous\r\n", "bye\n",
                                          "\xEF\xBF\xBF heroku-command-exit-status: 3\n"));
  EXPECT_THAT(engine.clients_left(), IsEmpty());
}

TEST_F(RendezvousTest, SpeaksFramesWithOurOwnClient) {
  rendezvous.on_line(wait(std::nullopt) + "?frames", client);
  auto process = engine.process(dyno);
  client->say(net::frame('I', "\x04") + net::frame('E', ""));
  EXPECT_EQ(read_all(process.input), "\x04");
  process.output.close();
  engine.end_one_off(dyno, 137);
  EXPECT_THAT(client->rest(), ElementsAre("rendezvous\r\n", net::frame('X', "\x89")));
}

TEST_F(RendezvousTest, TellsTheEngineOfAClientThatLeft) {
  rendezvous.on_line(wait(Window()), client);
  const auto process = engine.process(dyno);
  client->finish();
  EXPECT_EQ(read_all(process.input), "");  // the terminal hung up
  while (engine.clients_left().empty()) std::this_thread::yield();
  EXPECT_THAT(engine.clients_left(), ElementsAre(dyno));
}

TEST_F(RendezvousTest, KnowsASecretOnce) {
  const auto secret = wait(Window());
  rendezvous.on_line(secret, client);
  const auto second = std::make_shared<FakeConnection>();
  rendezvous.on_line(secret, second);
  EXPECT_THAT(second->rest().back(), HasSubstr("No dyno waits"));
  engine.end_one_off(dyno, 0);
  engine.process(dyno);
  client->rest();
}

TEST_F(RendezvousTest, RunsACommandBesideADyno) {
  const auto secret = rendezvous.expect_exec(spec, dyno, command("cat")).value();
  EXPECT_TRUE(engine.execs().empty());  // not before its client comes
  rendezvous.on_line(secret + "?frames", client);
  auto process = engine.process(dyno);
  EXPECT_EQ(engine.execs().at(0).command, "cat");
  client->say(net::frame('I', "hello") + net::frame('E', ""));
  EXPECT_EQ(read_all(process.input), "hello");
  write_out(process.output, "hello");
  process.output.close();
  const int status = 42;
  ASSERT_EQ(::send(process.leash.get(), &status, sizeof status, 0),
            static_cast<ssize_t>(sizeof status));
  const auto records = client->rest();
  EXPECT_EQ(records.back(), net::frame('X', "*"));
  EXPECT_THAT(records, testing::Contains(net::frame('O', "hello")));
  EXPECT_THAT(engine.clients_left(), IsEmpty());
}

TEST_F(RendezvousTest, HangsUpTheCommandOfAClientThatLeft) {
  const auto secret = rendezvous.expect_exec(spec, dyno, command("cat")).value();
  rendezvous.on_line(secret, client);
  const auto process = engine.process(dyno);
  client->finish();
  char byte;
  EXPECT_EQ(::recv(process.leash.get(), &byte, 1, 0), 0);
  EXPECT_THAT(engine.clients_left(), IsEmpty());
}

// Whatever a stranger says first is as good as a wrong secret, and whatever a client says in frames
// ends its session at worst.
TEST_F(RendezvousTest, SurvivesAnything) {
  std::mt19937 random(7);
  const auto noise = [&](std::size_t most) {
    std::string text;
    for (auto left = random() % most; left > 0; --left) text += static_cast<char>(random());
    return text;
  };
  for (int i = 0; i < 500; ++i) {
    const auto stranger = std::make_shared<FakeConnection>();
    rendezvous.on_line(i % 2 == 0 ? noise(100) : noise(3) + "?frames", stranger);
    EXPECT_THAT(stranger->rest().back(), HasSubstr("No dyno waits"));
  }
  for (int i = 0; i < 50; ++i) {
    const auto id = Id<Dyno>::create();
    const auto strange = std::make_shared<FakeConnection>();
    rendezvous.on_line(rendezvous.expect_exec(spec, id, command("x")).value() + "?frames", strange);
    auto process = engine.process(id);
    auto bytes = net::frame("IEWXO?"[random() % 6], noise(20));
    for (auto turns = random() % 5; turns > 0; --turns) bytes += noise(200);
    strange->say(bytes);
    strange->finish();
    char byte;
    EXPECT_EQ(::recv(process.leash.get(), &byte, 1, 0), 0);
  }
}

TEST_F(RendezvousTest, IsBounded) {
  for (std::size_t i = 0; i < Rendezvous::most; ++i)
    EXPECT_TRUE(rendezvous.expect(Id<Dyno>::create(), std::nullopt));
  EXPECT_EQ(rendezvous.expect(dyno, std::nullopt).error().kind, Kind::rate_limited);
}

}  // namespace
}  // namespace renga::dynos
