#include "dynos/engines/local/log_listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <thread>

#include "base/locked.h"
#include "net/socket.h"
#include "os/fd.h"
#include "releases/testing/tarball.h"
#include "sandbox/testing/log_memory.h"

namespace renga::dynos {
namespace {

using testing::ElementsAre;

class LogListenerTest : public testing::Test {
 protected:
  os::Fd connected() {
    os::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un there{};
    there.sun_family = AF_UNIX;
    path.string().copy(there.sun_path, sizeof there.sun_path - 1);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there), 0);
    return fd;
  }
  static void send(const os::Fd& fd, const std::string& bytes) {
    ASSERT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  static bool hung_up(const os::Fd& fd) {
    pollfd end{fd.get(), POLLIN, 0};
    char byte = 0;
    return ::poll(&end, 1, 5'000) == 1 && ::read(fd.get(), &byte, 1) <= 0;
  }
  std::vector<std::string> heard() { return *lines.lock(); }

  releases::Scratch scratch;
  std::filesystem::path path = scratch.path / "sockets" / "log";
  Locked<std::vector<std::string>> lines;
  Locked<std::unordered_set<Id<apps::App>>> followed;
  LogListener listener{
      path,
      [](const std::string& id, const std::string& secret) -> std::optional<LogListener::Sender> {
        if (id != "dyno" || secret != "secret") return std::nullopt;
        return LogListener::Sender{{"app"}, "web.1", ""};
      },
      [this](const LogListener::Sender& from, std::span<const sandbox::LogFrame> frames) {
        auto all = lines.lock();
        for (const auto& frame : frames)
          all->push_back(from.process + ": " + std::string(frame.line));
        return logs::Ticket(all->size());
      },
      [this] { return *followed.lock(); }};
};

// A sender as today's renga-init is one.
struct RingingSender {
  explicit RingingSender(const os::Fd& socket, const std::string& secret = "secret") {
    const std::array<int, 1> fds{memory.get()};
    EXPECT_TRUE(net::send_with_fds(socket.get(), "dyno " + secret + "\n", fds));
  }
  void say(const std::string& line) {
    const auto frame = "1767607200000000 o " + std::to_string(line.size()) + "\n" + line;
    writer.put(frame.data(), frame.size());
    writer.publish();
  }
  bool all_released() const { return writer.empty(); }

  os::Fd memory = sandbox::log_memory();
  std::shared_ptr<sandbox::LogRing> ring = sandbox::map_log_ring(memory.get());
  sandbox::LogRingWriter writer{*ring};
};

TEST_F(LogListenerTest, HearsWhatASenderWroteBeforeItWentAway) {
  {
    const auto sender = connected();
    send(sender, "dyno secret\n1767607200000000 o 5\nhello");
    send(sender, "1767607200000001 e 3\nbye");
  }
  listener.settle(std::chrono::seconds(20));
  EXPECT_THAT(heard(), ElementsAre("web.1: hello", "web.1: bye"));
}

TEST_F(LogListenerTest, HangsUpOnAWrongSecret) {
  const auto stranger = connected();
  send(stranger, "dyno guess\n1767607200000000 o 5\nhello");
  EXPECT_TRUE(hung_up(stranger));
  EXPECT_THAT(heard(), testing::IsEmpty());
}

TEST_F(LogListenerTest, HangsUpOnWhatIsNoFrame) {
  const auto sender = connected();
  send(sender, "dyno secret\nGET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(hung_up(sender));
}

TEST_F(LogListenerTest, ListensAgainAtTheSamePath) {
  LogListener next(
      path, [](const std::string&, const std::string&) { return LogListener::Sender{}; },
      [this](const LogListener::Sender&, std::span<const sandbox::LogFrame> frames) {
        for (const auto& frame : frames) lines.lock()->emplace_back(frame.line);
        return logs::Ticket();
      },
      [] { return std::unordered_set<Id<apps::App>>(); });
  {
    const auto sender = connected();
    send(sender, "any any\n1767607200000000 o 5\nhello");
  }
  next.settle(std::chrono::seconds(20));
  EXPECT_THAT(heard(), ElementsAre("hello"));
}

TEST_F(LogListenerTest, ReadsTheMemoryOfASenderWithoutAWord) {
  const auto socket = connected();
  RingingSender sender(socket);
  sender.say("one");
  listener.settle(std::chrono::seconds(20));
  EXPECT_THAT(heard(), ElementsAre("web.1: one"));
  sender.say("two");
  sender.say("three");
  listener.settle(std::chrono::seconds(20));
  EXPECT_THAT(heard(), ElementsAre("web.1: one", "web.1: two", "web.1: three"));
}

TEST_F(LogListenerTest, ReleasesLinesWhenTheyAreWritten) {
  const auto socket = connected();
  RingingSender sender(socket);
  sender.say("one");
  listener.settle(std::chrono::seconds(20));
  EXPECT_FALSE(sender.all_released());
  listener.written(1);
  EXPECT_TRUE(sender.all_released());
  sender.say("two");
  sender.say("three");
  listener.settle(std::chrono::seconds(20));
  listener.written(2);
  EXPECT_FALSE(sender.all_released());
  listener.stop();
  listener.written(3);
  EXPECT_TRUE(sender.all_released());
}

TEST_F(LogListenerTest, WantsToHearOfEachLineWhileSomebodyFollows) {
  const auto socket = connected();
  RingingSender sender(socket);
  const auto watched = [&] {
    listener.settle(std::chrono::seconds(20));
    return sender.ring->watched.load() != 0;
  };
  EXPECT_FALSE(watched());
  followed.lock()->insert({"other"});
  EXPECT_FALSE(watched());
  followed.lock()->insert({"app"});
  EXPECT_TRUE(watched());
  followed.lock()->clear();
  EXPECT_FALSE(watched());
}

TEST_F(LogListenerTest, ComesWhenItRingsAndTakesTheLastWordsOfASenderThatIsGone) {
  {
    const auto socket = connected();
    RingingSender sender(socket);
    sender.say("one");
    listener.settle(std::chrono::seconds(20));
    sender.say("two");
    send(socket, "!");
    while (heard().size() < 2) std::this_thread::yield();
    sender.say("bye");
  }
  while (heard().size() < 3) std::this_thread::yield();
  EXPECT_THAT(heard(), ElementsAre("web.1: one", "web.1: two", "web.1: bye"));
}

TEST_F(LogListenerTest, HangsUpOnMemoryThatIsNone) {
  const auto broken = connected();
  RingingSender sender(broken);
  sender.ring->word = sandbox::LogRing::packed({0, ~0U});
  EXPECT_TRUE(hung_up(broken));

  const auto small = connected();
  const auto memory = sandbox::log_memory(4096);
  const std::array<int, 1> fds{memory.get()};
  EXPECT_TRUE(net::send_with_fds(small.get(), "dyno secret\n", fds));
  EXPECT_TRUE(hung_up(small));

  const auto many = connected();
  const std::vector<int> copies(64, memory.get());
  EXPECT_TRUE(net::send_with_fds(many.get(), "dyno guess\n", copies));
  EXPECT_TRUE(hung_up(many));
  EXPECT_THAT(heard(), testing::IsEmpty());
}

}  // namespace
}  // namespace renga::dynos
