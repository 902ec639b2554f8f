#include "dynos/engines/local/log_listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/locked.h"
#include "os/fd.h"
#include "releases/testing/tarball.h"

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
  LogListener listener{
      path,
      [](const std::string& id, const std::string& secret) -> std::optional<LogListener::Sender> {
        if (id != "dyno" || secret != "secret") return std::nullopt;
        return LogListener::Sender{{"app"}, "web.1", ""};
      },
      [this](const LogListener::Sender& from, std::span<const sandbox::LogFrame> frames) {
        for (const auto& frame : frames)
          lines.lock()->push_back(from.process + ": " + std::string(frame.line));
      }};
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
      });
  {
    const auto sender = connected();
    send(sender, "any any\n1767607200000000 o 5\nhello");
  }
  next.settle(std::chrono::seconds(20));
  EXPECT_THAT(heard(), ElementsAre("hello"));
}

}  // namespace
}  // namespace renga::dynos
