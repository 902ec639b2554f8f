#include "logs/drains.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "accounts/migrations.h"
#include "apps/apps.h"
#include "apps/migrations.h"
#include "base/text.h"
#include "logs/drain_pace.h"
#include "logs/migrations.h"
#include "logs/testing/scratch.h"
#include "os/fd.h"

namespace renga::logs {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

// A server on loopback that takes one connection after the other and does as it is told with what
// it reads.
class Receiver {
 public:
  // Gets all bytes of a connection so far; answers what to say, or nothing to go on reading.
  using Talk = std::function<std::optional<std::string>(const std::string& read)>;

  explicit Receiver(Talk talk, int listen_for = 128) : talk_(std::move(talk)) {
    socket_ = os::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(socket_.get(), reinterpret_cast<sockaddr*>(&here), sizeof here);
    listen(socket_.get(), listen_for);
    socklen_t size = sizeof here;
    getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&here), &size);
    port = ntohs(here.sin_port);
    if (talk_) thread_ = std::thread([this] { serve(); });
  }
  ~Receiver() {
    ending_ = true;
    if (thread_.joinable()) thread_.join();
  }

  std::string all() { return *seen_.lock(); }
  bool wait_for(const std::string& text, std::chrono::seconds limit = 20s) {
    // Looks at each byte once: under a sanitizer, megabytes would cost more than what is tested.
    std::size_t looked_at = 0;
    for (const auto end = std::chrono::steady_clock::now() + limit;
         std::chrono::steady_clock::now() < end;) {
      {
        auto seen = seen_.lock();
        if (seen->find(text, looked_at) != std::string::npos) return true;
        looked_at = seen->size() - std::min(seen->size(), text.size());
      }
      poll(nullptr, 0, 5);
    }
    return false;
  }
  int connections = 0;
  int port = 0;

 private:
  bool readable(int fd) {
    pollfd one{fd, POLLIN, 0};
    while (!ending_)
      if (poll(&one, 1, 20) > 0) return true;
    return false;
  }
  void serve() {
    while (readable(socket_.get())) {
      const os::Fd client(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      ++connections;
      std::string read;
      char bytes[65536];
      while (readable(client.get())) {
        const auto got = recv(client.get(), bytes, sizeof bytes, 0);
        if (got <= 0) break;
        read.append(bytes, static_cast<std::size_t>(got));
        seen_.lock()->append(bytes, static_cast<std::size_t>(got));
        const auto answer = talk_(read);
        if (!answer) continue;
        if (answer->empty()) break;
        [[maybe_unused]] const auto sent =
            ::send(client.get(), answer->data(), answer->size(), MSG_NOSIGNAL);
        read.clear();
      }
    }
  }

  Talk talk_;
  os::Fd socket_;
  std::atomic<bool> ending_ = false;
  Locked<std::string> seen_;
  std::thread thread_;
};

// A whole HTTP request was read.
bool whole(const std::string& read) {
  const auto head = read.find("\r\n\r\n");
  const auto length = read.find("Content-Length: ");
  return head != std::string::npos && length != std::string::npos &&
         read.size() >= head + 4 + std::stoul(read.substr(length + 16));
}

std::optional<std::string> take(const std::string& read) {
  if (!whole(read)) return std::nullopt;
  return "HTTP/1.1 204 No Content\r\n\r\n";
}

class DrainsTest : public testing::Test {
 protected:
  DrainsTest() {
    database.migrate(accounts::migrations());
    database.migrate(apps::migrations());
    database.migrate(migrations());
    sushi = apps.create(accounts.create("ada@example.com", "Ada", false).value(), {"sushi", ""})
                .value()
                .id;
    options.destinations = net::Destinations::parse("127.0.0.1").value();
    options.gather = 5ms;
    options.first_retry = 10ms;
    options.longest_retry = 50ms;
    options.connect_limit = 300ms;
    options.answer_limit = 2s;
    open();
  }
  void open() {
    drains.emplace(database, clock, box, *store, options);
    drains->start();
  }
  void say(const std::string& message) {
    store->append(sushi, {clock.now(), "app", "web.1", message});
  }
  std::string log() {
    store->settle();
    std::string all;
    for (const auto& line : store->last(sushi, {}, 1'500)) all += format(line.line) + "\n";
    return all;
  }
  Drain add(const std::string& url) { return drains->add(sushi, url).value(); }

  Scratch scratch;
  SystemClock clock;
  crypto::SecretBox box;
  store::Database database{":memory:"};
  accounts::Accounts accounts{database, clock};
  apps::Apps apps{database, clock, {"host"}};
  Id<apps::App> sushi;
  LogStoreOptions store_options{.directory = scratch.path, .bytes_per_app = 1 << 20};
  std::optional<LogStore> store{std::in_place, store_options};
  DrainCourierOptions options;
  std::optional<Drains> drains;
};

TEST_F(DrainsTest, PostAsLogplexDoes) {
  Receiver receiver(take);
  say("before");
  const auto drain = add(fmt::format("http://ada:s%40fe@127.0.0.1:{}/in?a=b", receiver.port));
  say("hello from our own example");
  store->append(sushi, {clock.now(), "heroku", "router", "at=info"});
  ASSERT_TRUE(receiver.wait_for("at=info"));
  const auto all = receiver.all();
  EXPECT_THAT(all, AllOf(HasSubstr("POST /in?a=b HTTP/1.1\r\n"),
                         HasSubstr("Content-Type: application/logplex-1\r\n"),
                         HasSubstr("Logplex-Drain-Token: " + drain.token + "\r\n"),
                         HasSubstr("Authorization: Basic YWRhOnNAZmU=\r\n"),
                         HasSubstr("User-Agent: Logplex/"), HasSubstr("Logplex-Frame-Id: ")));
  EXPECT_THAT(all, testing::ContainsRegex("Logplex-Msg-Count: [12]\r\n"));
  EXPECT_THAT(all, testing::ContainsRegex(
                       "83 <190>1 ....-..-..T..:..:..\\.......\\+00:00 host app web.1 - hello from "
                       "our own example"));
  EXPECT_THAT(all, HasSubstr(" host heroku router - at=info"));
  EXPECT_THAT(all, Not(HasSubstr("before")));
}

TEST_F(DrainsTest, SpeakSyslogOverTcp) {
  Receiver receiver([](const std::string&) { return std::nullopt; });
  const auto drain = add(fmt::format("syslog://127.0.0.1:{}", receiver.port));
  say("one\x01\xff");
  say("two");
  ASSERT_TRUE(receiver.wait_for("two\n"));
  EXPECT_THAT(receiver.all(), HasSubstr(" " + drain.token + " app web.1 - - one\x01\xff\n"));
}

TEST_F(DrainsTest, TryAgainWithTheSameFrame) {
  std::atomic<int> requests = 0;
  Receiver receiver([&](const std::string& read) -> std::optional<std::string> {
    if (!whole(read)) return std::nullopt;
    const int turn = requests++;
    if (turn == 0) return "";  // hangs up
    if (turn == 1) return "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";
    if (turn == 2) return "garbage\x01\x02\r\n\r\n";
    if (turn == 3) return std::nullopt;  // hangs
    return take(read);
  });
  add(fmt::format("http://127.0.0.1:{}/", receiver.port));
  say("patience");
  for (int i = 0; i < 2'000 && requests < 5; ++i) poll(nullptr, 0, 5);
  ASSERT_GE(requests, 5);
  say("later");
  ASSERT_TRUE(receiver.wait_for("later"));
  const auto all = receiver.all();
  std::set<std::string> ids;
  for (std::size_t at = 0; (at = all.find("Logplex-Frame-Id: ", at)) != std::string::npos; ++at)
    ids.insert(all.substr(at + 18, 32));
  EXPECT_EQ(ids.size(), 2U);
  EXPECT_THAT(all, Not(HasSubstr("L10")));
}

TEST_F(DrainsTest, DropWhatIsRefusedAndSayIt) {
  std::atomic<int> requests = 0;
  Receiver receiver([&](const std::string& read) -> std::optional<std::string> {
    if (!whole(read)) return std::nullopt;
    if (requests++ == 0) return "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n";
    return take(read);
  });
  add(fmt::format("http://127.0.0.1:{}/", receiver.port));
  say("bad");
  for (int i = 0; i < 2'000 && requests < 1; ++i) poll(nullptr, 0, 5);
  say("good");
  ASSERT_TRUE(receiver.wait_for("good"));
  EXPECT_THAT(receiver.all(),
              HasSubstr(" host heroku logplex - Error L10 (output buffer overflow): 1 messages "
                        "dropped since "));
}

TEST_F(DrainsTest, GatherNoLongerThanAFrameIsLarge) {
  drains.reset();
  options.gather = 2s;
  options.limits.frame_bytes = 1'000;
  open();
  Receiver receiver(take);
  add(fmt::format("http://127.0.0.1:{}/", receiver.port));
  for (int i = 0; i < 200; ++i) say(fmt::format("line {} {}.", i, std::string(100, 'x')));
  // Some thirty frames; with a pause behind each they would take a minute.
  EXPECT_TRUE(receiver.wait_for("line 199 "));
  EXPECT_FALSE(receiver.all().contains("L10"));
}

TEST_F(DrainsTest, SayWhatTheyLostWhileAway) {
  drains.reset();
  options.limits.most_behind = 100;
  options.limits.queue_lines = 10;
  options.gather = 200ms;
  open();
  int port = 0;
  {
    Receiver nobody(nullptr);
    port = nobody.port;
  }
  add(fmt::format("syslog://127.0.0.1:{}", port));  // refuses
  Receiver slow(take);
  add(fmt::format("http://127.0.0.1:{}/", slow.port));
  say("first");
  ASSERT_TRUE(slow.wait_for("first"));
  for (int i = 0; i < 1'000; ++i) say(fmt::format("line {}.", i));
  ASSERT_TRUE(slow.wait_for("line 999."));
  const auto all = slow.all();
  // Every line came, or was counted.
  int came = 0, counted = 0;
  for (int i = 0; i < 1'000; ++i)
    if (all.contains(fmt::format(" - line {}.", i))) ++came;
  constexpr std::string_view overflow = "Error L10 (output buffer overflow): ";
  for (std::size_t at = 0; (at = all.find(overflow, at)) != std::string::npos; ++at)
    counted += std::stoi(all.substr(at + overflow.size()));
  EXPECT_GE(came, 100);
  EXPECT_GT(counted, 0);
  EXPECT_EQ(came + counted, 1'000);
}

TEST_F(DrainsTest, GoOnWhereTheyStoodAfterARestart) {
  Receiver receiver(take);
  add(fmt::format("http://127.0.0.1:{}/", receiver.port));
  say("one");
  ASSERT_TRUE(receiver.wait_for("one"));
  // Its frame comes when the one before is known to have been taken: else that is sent again.
  say("two");
  ASSERT_TRUE(receiver.wait_for("two"));
  drains.reset();
  say("meanwhile");
  store->settle();
  open();
  say("after");
  ASSERT_TRUE(receiver.wait_for("after"));
  const auto all = receiver.all();
  EXPECT_EQ(all.find(" - one"), all.rfind(" - one"));
  EXPECT_LT(all.find(" - meanwhile"), all.find(" - after"));
}

TEST_F(DrainsTest, DisturbNobodyWhenTheyHang) {
  Receiver hangs([](const std::string&) { return std::nullopt; });
  Receiver deaf(nullptr, 0);  // accepts nothing, reads nothing
  add(fmt::format("http://127.0.0.1:{}/", hangs.port));
  add(fmt::format("syslog://127.0.0.1:{}", deaf.port));
  add(fmt::format("syslog+tls://127.0.0.1:{}", hangs.port));
  Receiver works(take);
  add(fmt::format("http://127.0.0.1:{}/", works.port));
  for (int i = 0; i < 300; ++i) say(fmt::format("{} {}.", std::string(9'000, 'x'), i));
  ASSERT_TRUE(works.wait_for(" 299."));
}

TEST_F(DrainsTest, ReachOnlyWhatTheyMay) {
  drains.reset();
  options.destinations = {};
  open();
  Receiver forbidden(take);
  add(fmt::format("http://ada:secret@127.0.0.1:{}/", forbidden.port));
  add(fmt::format("http://localhost:{}/?key=secret", forbidden.port));
  add(fmt::format("syslog://[::ffff:127.0.0.1]:{}", forbidden.port));
  say("hello");
  // Each drain says so on its own.
  for (int i = 0; i < 2'000 && !log().contains("Drain http://ada"); ++i) poll(nullptr, 0, 5);
  EXPECT_THAT(log(), AllOf(HasSubstr("heroku[logplex]: Drain http://ada:****@127.0.0.1:"),
                           Not(HasSubstr("secret"))));
  EXPECT_EQ(forbidden.connections, 0);
}

TEST_F(DrainsTest, GoAwayWhenRemoved) {
  Receiver receiver(take);
  const auto drain = add(fmt::format("http://127.0.0.1:{}/", receiver.port));
  say("one");
  ASSERT_TRUE(receiver.wait_for("one"));
  ASSERT_TRUE(drains->remove(sushi, drain.token));
  EXPECT_FALSE(drains->remove(sushi, drain.url));
  add(fmt::format("http://127.0.0.1:{}/other", receiver.port));
  say("two");
  ASSERT_TRUE(receiver.wait_for("two"));
  EXPECT_THAT(receiver.all(), HasSubstr("POST /other"));
  drains->app_destroyed(sushi);
}

TEST_F(DrainsTest, OfAddOnsFollowTheirRows) {
  Receiver receiver(take);
  const auto url = [&](std::string_view path) {
    return fmt::format("http://127.0.0.1:{}{}", receiver.port, path);
  };
  const auto put = [&](std::string_view path) {
    auto transaction = database.begin();
    EXPECT_TRUE(drains->put_of_addon(sushi, "tank", "d.1", url(path)));
    transaction.commit();
    drains->follow();
  };
  put("/first");
  say("one");
  ASSERT_TRUE(receiver.wait_for("one"));
  EXPECT_EQ(drains->remove(sushi, "d.1").error().kind, Kind::forbidden);
  put("/second");
  say("two");
  ASSERT_TRUE(receiver.wait_for("two"));
  EXPECT_THAT(receiver.all(), AllOf(HasSubstr("POST /first"), HasSubstr("POST /second")));
  EXPECT_EQ(drains->of_addon("tank").size(), 1u);
  EXPECT_EQ(drains->put_of_addon(sushi, "tank", "d.1", "ftp://x").error().kind, Kind::invalid);

  drains->remove_all_of_addon("tank");
  drains->follow();
  say("three");
  add(url("/other"));
  say("four");
  ASSERT_TRUE(receiver.wait_for("four"));
  EXPECT_THAT(receiver.all(), Not(HasSubstr("three")));
}

TEST(DrainPaceTest, ManyThatAreBusyAtOnceGatherForLonger) {
  DrainPace pace(1s);
  const auto gather = [&](std::size_t busy) {
    pace.busy(busy);
    return pace.gather();
  };
  EXPECT_EQ(gather(1), 1s);
  EXPECT_EQ(gather(500), 1s);
  EXPECT_EQ(gather(1'000), 2s);
  EXPECT_EQ(gather(1'000'000), 4s) << "but not for ever";
  EXPECT_EQ(gather(0), 1s);
}

}  // namespace
}  // namespace renga::logs
