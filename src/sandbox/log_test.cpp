// The way of a line from the command to control.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <deque>

#include "base/id.h"
#include "sandbox/log_frames.h"
#include "sandbox/log_ring.h"
#include "sandbox/testing/sandbox_fixture.h"

namespace renga::sandbox {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

LogFrame out(std::int64_t micros, std::string_view line) {
  return {micros, LogStream::output, line, 0};
}

TEST(LogDecoder, ReadsFramesHoweverTheyAreCut) {
  const std::string sent = "id secret\n12 o 5\nhello13 e 0\n14 d 1\n7";
  const std::vector<LogFrame> expected = {
      out(12, "hello"), {13, LogStream::error, "", 0}, {14, LogStream::output, "", 7}};
  for (std::size_t cut = 0; cut <= sent.size(); ++cut) {
    LogDecoder decoder;
    std::vector<LogFrame> frames, more;
    decoder.feed(std::string_view(sent).substr(0, cut), frames);
    const auto before = frames.size();
    EXPECT_TRUE(std::equal(frames.begin(), frames.end(), expected.begin())) << cut;
    decoder.feed(std::string_view(sent).substr(cut), more);
    EXPECT_TRUE(std::equal(more.begin(), more.end(), expected.begin() + static_cast<int>(before),
                           expected.end()))
        << cut;
    EXPECT_EQ(decoder.id(), "id");
    EXPECT_EQ(decoder.secret(), "secret");
  }
}

TEST(LogDecoder, IsBrokenByAnythingElse) {
  for (const std::string& sent :
       std::vector<std::string>{std::string("id\n"), std::string(300, 'x'), std::string(" \n"),
                                std::string("i s\nx o 1\n"), std::string("i s\n1 o 10001\n"),
                                std::string("i s\n1 o -1\n"), std::string("i s\n1 x 1\na"),
                                std::string("i s\n-1 o 1\na"), std::string("i s\n1 d 1\nx"),
                                "i s\n" + std::string(64, '1')}) {
    LogDecoder decoder;
    std::vector<LogFrame> frames;
    decoder.feed(sent, frames);
    EXPECT_THAT(frames, IsEmpty()) << sent;
    EXPECT_TRUE(decoder.broken()) << sent;
    decoder.feed("1 o 1\na", frames);
    EXPECT_THAT(frames, IsEmpty());
  }
}

// The bytes that came, and the memory if it came with them.
std::string receive_with(const os::Fd& socket, os::Fd& memory) {
  std::array<char, 4096> buffer;
  iovec bytes{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const auto got = ::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC);
  if (got <= 0) return {};
  if (const auto* header = CMSG_FIRSTHDR(&message); header != nullptr) {
    int number = -1;
    std::memcpy(&number, CMSG_DATA(header), sizeof number);
    memory = os::Fd(number);
  }
  return {buffer.data(), static_cast<std::size_t>(got)};
}

// Control's end, as small as can be: one connection after the other.
class LogListener {
 public:
  explicit LogListener(const std::string& path) : path_(path) {
    unlink(path.c_str());
    listener_ = os::Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        chmod(path.c_str(), 0666) != 0 || listen(listener_.get(), 8) != 0)
      throw std::runtime_error("no listener");
  }
  ~LogListener() { unlink(path_.c_str()); }

  // Frames until the connection ends or `enough` says so; at most 20 s.
  std::vector<LogFrame> read_until(const std::function<bool(const LogFrame&)>& enough) {
    std::vector<LogFrame> frames;
    pollfd coming{listener_.get(), POLLIN, 0};
    if (poll(&coming, 1, 20'000) != 1) return frames;
    const os::Fd connection(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    os::Fd memory;
    std::vector<LogFrame> some;
    decoder.feed(receive_with(connection, memory), some);
    const auto mapped = map_log_ring(memory.get());
    if (!mapped) throw std::runtime_error("no memory came with the greeting");
    LogRingReader ring(mapped);
    ring.watch(true);
    for (bool open = true; open;) {
      pollfd ready{connection.get(), POLLIN, 0};
      // What was there before it was watched does not ring.
      if (poll(&ready, 1, 10) == 1) {
        std::array<char, 64> bells;
        open = read(connection.get(), bells.data(), bells.size()) > 0;
      }
      std::string bytes;
      if (!ring.read(bytes)) throw std::runtime_error("no ring");
      some.clear();
      decoder.feed(bytes, some);
      LogRingReader::release(*mapped, ring.place());
      for (auto& frame : some) {
        frame.line = lines_.emplace_back(frame.line);
        frames.push_back(frame);
        if (enough && enough(frame)) return frames;
      }
    }
    return frames;
  }
  std::vector<LogFrame> read_all() { return read_until({}); }

  LogDecoder decoder;

 private:
  std::string path_;
  os::Fd listener_;
  std::deque<std::string> lines_;  // of the frames that were handed out
};

class LogTest : public SandboxTest {
 protected:
  void SetUp() override {
    SandboxTest::SetUp();
    if (!spawner) return;
    ASSERT_EQ(mkdir((directory / "logs").c_str(), 0711), 0);
  }
  Spec logged(const std::string& text) const {
    auto spec = script(text);
    spec.log_socket = directory / "logs/socket";
    spec.log_secret = "word";
    return spec;
  }
};

TEST_F(LogTest, SendsEveryLineWithItsStreamAndTime) {
  const auto spec = logged("echo one; echo; echo two >&2; printf three");
  LogListener listener(spec.log_socket);
  ASSERT_TRUE(spawner->start(spec));
  std::vector<std::string> lines;
  for (const auto& frame : listener.read_all()) {
    lines.push_back((frame.stream == LogStream::error ? "!" : "") + std::string(frame.line));
    EXPECT_GT(frame.micros, 1'700'000'000'000'000);
  }
  EXPECT_THAT(lines, testing::UnorderedElementsAre("one", "", "!two", "three"));
  EXPECT_EQ(listener.decoder.id(), spec.id);
  EXPECT_EQ(listener.decoder.secret(), "word");
}

TEST_F(LogTest, CutsLongLines) {
  const auto spec = logged("head -c 25000 /dev/zero | tr '\\0' x; echo; echo end");
  LogListener listener(spec.log_socket);
  ASSERT_TRUE(spawner->start(spec));
  std::vector<std::size_t> lengths;
  for (const auto& frame : listener.read_all()) lengths.push_back(frame.line.size());
  EXPECT_THAT(lengths, ElementsAre(10'000u, 10'000u, 5'000u, 3u));
}

TEST_F(LogTest, KeepsLinesWhileControlIsAwayAndCountsWhatItCannotKeep) {
  const auto spec = logged("seq 1 100000; echo written > /app/done; sleep 1000");
  ASSERT_TRUE(spawner->start(spec));
  // The app is not held up by it.
  EXPECT_TRUE(eventually(
      [&] { return std::filesystem::exists(directory / "run" / spec.id / "upper/done"); }));
  LogListener listener(spec.log_socket);
  const auto frames = listener.read_until([](const LogFrame& frame) { return frame.dropped > 0; });
  ASSERT_FALSE(frames.empty());
  EXPECT_EQ(frames.front().line, "1");
  EXPECT_EQ(frames.back().dropped + frames.size() - 1, 100'000u);
}

TEST_F(LogTest, GoesOnAfterControlWasRestarted) {
  const auto spec = logged("i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done");
  std::string last;
  {
    LogListener listener(spec.log_socket);
    ASSERT_TRUE(spawner->start(spec));
    last = listener.read_until([](const LogFrame& frame) { return frame.line == "5"; }).back().line;
  }
  EXPECT_EQ(last, "5");
  LogListener listener(spec.log_socket);
  const auto frames = listener.read_until([](const LogFrame&) { return true; });
  ASSERT_THAT(frames, SizeIs(testing::Ge(1u)));
  EXPECT_GE(std::stoi(std::string(frames[0].line)), 6);
  EXPECT_EQ(listener.decoder.id(), spec.id);
}

TEST_F(LogTest, RefusesASocketThatNoSandboxCanReach) {
  const auto spec = logged("true");
  ASSERT_EQ(chmod((directory / "logs").c_str(), 0700), 0);
  const auto refused = spawner->start(spec);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("0711"));
}

TEST_F(LogTest, WritesHowItEndedBeforeItWaitsForControl) {
  const auto spec = logged("echo last; exit 4");
  const auto started = spawner->start(spec);
  ASSERT_TRUE(started);
  EXPECT_TRUE(eventually([&] { return spawner->exit_of(spec.id).has_value(); }));
  EXPECT_EQ(spawner->exit_of(spec.id)->status, 4);
  // It still has the line, and gives it to a control that comes back in time.
  LogListener listener(spec.log_socket);
  EXPECT_THAT(listener.read_all(), SizeIs(1));
  EXPECT_TRUE(wait_for_end(*spawner, *started));
}

}  // namespace
}  // namespace renga::sandbox
