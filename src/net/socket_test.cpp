#include "net/socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

namespace renga::net {
namespace {

using std::chrono::milliseconds;

bool wait_for(int fd, short what) {
  pollfd one{fd, what, 0};
  return ::poll(&one, 1, 5000) == 1;
}

struct TempDir {
  std::string path;
  TempDir() {
    char name[] = "/tmp/renga-net-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~TempDir() { std::filesystem::remove_all(path); }
};

TEST(Address, ReadsAndWritesBothFamilies) {
  for (const auto* text : {"127.0.0.1:80", "[::1]:8080", "[fd00::2]:0"}) {
    const auto address = Address::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->text(), text);
  }
  EXPECT_EQ(Address::parse("127.0.0.1:80")->port(), 80);
  EXPECT_EQ(Address::parse("[::1]:80")->host(), "::1");
  for (const auto* text : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                           "::1:80", "localhost:80", ":80", "127.0.0.1:80x"}) {
    EXPECT_FALSE(Address::parse(text)) << text;
  }
}

TEST(Tcp, ListensOnNumbersAndNamesAndConnects) {
  for (const std::string host : {"127.0.0.1", "localhost", "[::1]", "[::]"}) {
    const auto listener = listen_tcp(host + ":0");
    const auto port = std::to_string(local_address(listener.get()).port());
    EXPECT_FALSE(accept(listener.get()).fd);
    const auto reach = host == "[::]" ? "127.0.0.1:" + port : host + ":" + port;
    const auto client = connect_tcp(reach, milliseconds(5000));
    ASSERT_TRUE(client) << client.error().message;
    ASSERT_TRUE(wait_for(listener.get(), POLLIN));
    const auto accepted = accept(listener.get());
    ASSERT_TRUE(accepted.fd);
    EXPECT_EQ(accepted.peer.port(), local_address(client->get()).port());
    EXPECT_NE(::fcntl(accepted.fd.get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(accepted.fd.get(), F_GETFD) & FD_CLOEXEC, 0);
    if (host == "[::]") {
      EXPECT_EQ(accepted.peer.host(), "127.0.0.1");
    }
  }
}

TEST(Tcp, SharesAPortOnlyWhenAsked) {
  const auto first = listen_tcp("127.0.0.1:0", Port::shared);
  const auto where = local_address(first.get()).text();
  EXPECT_TRUE(listen_tcp(where, Port::shared));
  EXPECT_THROW(listen_tcp(where), std::system_error);
  EXPECT_THROW(listen_tcp("127.0.0.1"), std::runtime_error);
}

TEST(Tcp, SaysWhyItCannotConnect) {
  std::string where;
  {
    const auto listener = listen_tcp("127.0.0.1:0");
    where = local_address(listener.get()).text();
  }
  const auto refused = connect_tcp(where, milliseconds(5000));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::unavailable);
  EXPECT_NE(refused.error().message.find(where), std::string::npos);

  auto connecting = start_connect(*Address::parse(where));
  if (connecting.fd) {
    ASSERT_TRUE(wait_for(connecting.fd.get(), POLLOUT));
    connecting.error = connect_error(connecting.fd.get());
  }
  EXPECT_EQ(connecting.error, ECONNREFUSED);
}

TEST(Unix, ReplacesADeadSocketAndRefusesALivingOne) {
  const TempDir dir;
  const auto path = dir.path + "/socket";
  EXPECT_FALSE(connect_unix(path));
  {
    const auto listener = listen_unix(path, 0600);
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
    EXPECT_TRUE(connect_unix(path));
    EXPECT_THROW(listen_unix(path, 0600), std::system_error);
  }
  EXPECT_FALSE(connect_unix(path));
  EXPECT_TRUE(listen_unix(path, 0666));
}

TEST(Unix, RefusesAPathThatTheKernelCannotName) {
  EXPECT_THROW(listen_unix("/tmp/" + std::string(103, 'x'), 0600), std::runtime_error);
  EXPECT_THROW(connect_unix("/tmp/" + std::string(103, 'x')), std::runtime_error);
}

TEST(Unix, PassesDescriptors) {
  for (const auto type : {UnixType::stream, UnixType::packets}) {
    auto [left, right] = unix_pair(type);
    auto [passed, other_end] = unix_pair();
    const int fds[] = {passed.get(), passed.get()};
    ASSERT_TRUE(send_with_fds(left.get(), "take", fds));
    auto received = receive_with_fds(right.get(), 100);
    EXPECT_EQ(received.bytes, "take");
    ASSERT_EQ(received.fds.size(), 2U);
    EXPECT_NE(::fcntl(received.fds[0].get(), F_GETFD) & FD_CLOEXEC, 0);
    passed.close();
    ASSERT_TRUE(send_with_fds(received.fds[1].get(), "hello", {}));
    EXPECT_EQ(receive_with_fds(other_end.get(), 100).bytes, "hello");

    set_blocking(right.get(), false);
    EXPECT_TRUE(receive_with_fds(right.get(), 100).would_block);
    left.close();
    const auto gone = receive_with_fds(right.get(), 100);
    EXPECT_TRUE(gone.bytes.empty());
    EXPECT_FALSE(gone.would_block);
    EXPECT_FALSE(send_with_fds(right.get(), "x", {}));
  }
}

TEST(Unix, ThrowsOnAMessageThatIsLongerThanAllowed) {
  auto [left, right] = unix_pair(UnixType::packets);
  ASSERT_TRUE(send_with_fds(left.get(), "0123456789", {}));
  EXPECT_THROW(receive_with_fds(right.get(), 5), std::system_error);
}

}  // namespace
}  // namespace renga::net
