// Who can talk to whom.
#include "sandbox/network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/id.h"
#include "base/text.h"
#include "os/file.h"
#include "os/process.h"
#include "sandbox/testing/sandbox_fixture.h"

namespace renga::sandbox {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

os::Fd listen_on_host(std::uint16_t& port) {
  os::Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  socklen_t size = sizeof address;
  if (bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener.get(), 4) != 0)
    return {};
  getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return listener;
}

bool connects(const std::string& to, std::uint16_t port) {
  const os::Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, to.c_str(), &address.sin_addr);
  if (connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
    return true;
  pollfd ready{client.get(), POLLOUT, 0};
  int error = 0;
  socklen_t size = sizeof error;
  return poll(&ready, 1, 1000) == 1 &&
         getsockopt(client.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

constexpr const char* listens_on_5000 =
    "import socket\n"
    "s = socket.socket(); s.bind(('0.0.0.0', 5000)); s.listen(8)\n"
    "while True: s.accept()[0].close()\n";

// The slices, by their numbers, that the server with this run directory has claimed.
std::vector<std::string> claims_of(const std::filesystem::path& run_directory) {
  std::vector<std::string> claims;
  for (const auto& note : std::filesystem::directory_iterator("/run/renga/net"))
    if (os::read_file(note.path()) == run_directory.string())
      claims.push_back(note.path().filename().string());
  return claims;
}

// The name of another server, which wishes for the same slice.
std::string same_wish_as(const std::string& server_name) {
  for (int i = 0;; ++i)
    if (auto name = server_name + std::to_string(i);
        Network::wished_slice(name) == Network::wished_slice(server_name))
      return name;
}

std::string nft_tables() { return os::run({.argv = {"nft", "list", "tables"}}).out; }

class NetworkTest : public SandboxTest {
 protected:
  // What the inside of another sandbox says of a connection: "open", "refused" or "timed out".
  std::string try_from_inside(const std::string& host, std::uint16_t port) {
    return std::string(text::trim(run(python("import socket\n"
                                             "s = socket.socket(); s.settimeout(0.7)\n"
                                             "try:\n  s.connect(('" +
                                             host + "', " + std::to_string(port) +
                                             ")); print('open')\n"
                                             "except Exception as e: print(e)\n"))
                                      .output));
  }
};

TEST_F(NetworkTest, TheHostReachesASandboxAndOtherSandboxesDoNot) {
  const auto server = python(listens_on_5000);
  const auto started = spawner->start(server);
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_TRUE(eventually([&] { return connects(started->address, 5000); }));
  EXPECT_EQ(try_from_inside(started->address, 5000), "timed out");
}

TEST_F(NetworkTest, ASandboxThatTalksTakesNoPlaceAmongTheHostsNeighbours) {
  const auto started = spawner->start(python(listens_on_5000));
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_TRUE(eventually([&] { return connects(started->address, 5000); }));
  EXPECT_THAT(os::read_file("/proc/net/arp").value_or(""), Not(HasSubstr(started->address)));
  EXPECT_THAT(output_of("cat /proc/net/arp"), Not(HasSubstr("169.254.1.1")));
}

TEST_F(NetworkTest, ASandboxReachesNothingOfTheHost) {
  std::uint16_t port = 0;
  const auto listener = listen_on_host(port);
  ASSERT_TRUE(listener);
  EXPECT_TRUE(connects("127.0.0.1", port));
  EXPECT_EQ(try_from_inside("169.254.1.1", port), "timed out");
  EXPECT_THAT(try_from_inside("127.0.0.1", port), HasSubstr("refused"));
}

TEST_F(NetworkTest, ASandboxReachesNoMetadataAndNoPrivateNetwork) {
  EXPECT_EQ(try_from_inside("169.254.169.254", 80), "timed out");
  EXPECT_EQ(try_from_inside("10.0.0.1", 80), "timed out");
}

TEST_F(NetworkTest, ASandboxKnowsItsOwnNameAndHasNoIpv6Address) {
  const auto output = output_of("hostname; getent hosts web.1; cat /proc/net/if_inet6");
  EXPECT_THAT(output, HasSubstr("web.1\n100."));
  EXPECT_THAT(output, Not(HasSubstr("eth0")));
}

TEST_F(NetworkTest, LinksGoWithTheirSandboxes) {
  const auto spec = script("sleep 1000");
  const auto started = spawner->start(spec);
  ASSERT_TRUE(started) << started.error().message;
  const auto routed = [&] {
    const auto routes = os::read_file("/proc/net/fib_trie").value_or("");
    return routes.find(started->address + "\n") != std::string::npos;
  };
  EXPECT_TRUE(routed());
  spawner->remove(spec.id);
  EXPECT_TRUE(eventually([&] { return !routed(); }));
  // Not even where the default route leads to somebody who answers for everyone.
  EXPECT_FALSE(connects(started->address, 5000));
}

TEST_F(NetworkTest, ServersOnOneHostHaveSlicesOfTheirOwn) {
  const auto first = spawner->start(script("sleep 1000"));
  ASSERT_TRUE(first) << first.error().message;
  auto other_options = options();
  other_options.run_directory = directory / "run2";
  other_options.server_name = server_name + "b";
  Spawner other(other_options);
  const auto spec = script("sleep 1000");
  const auto second = other.start(spec);
  ASSERT_TRUE(second) << second.error().message;
  const auto slice_of = [](const std::string& address) {
    in_addr raw;
    inet_pton(AF_INET, address.c_str(), &raw);
    return ntohl(raw.s_addr) >> 12;
  };
  EXPECT_NE(slice_of(first->address), slice_of(second->address));
  other.remove(spec.id);
  other.leave_host();
}

TEST_F(NetworkTest, AServerThatLeavesTheHostLeavesNothing) {
  const auto spec = script("sleep 1000");
  ASSERT_TRUE(spawner->start(spec));
  spawner->leave_host();
  EXPECT_THAT(claims_of(directory / "run"), SizeIs(1)) << "it still has a sandbox";
  const auto table = "table inet renga_" + claims_of(directory / "run").front() + "\n";
  EXPECT_THAT(nft_tables(), HasSubstr(table));

  spawner->remove(spec.id);
  spawner->leave_host();
  EXPECT_THAT(claims_of(directory / "run"), IsEmpty());
  EXPECT_THAT(nft_tables(), Not(HasSubstr(table)));
  EXPECT_FALSE(std::filesystem::exists("/sys/fs/cgroup/memory/renga-" + server_name));

  EXPECT_EQ(output_of("echo again"), "again\n");
}

TEST_F(NetworkTest, AServerKeepsItsSliceWhenTheOneItWishedForIsFreeAgain) {
  auto first_options = options();
  first_options.run_directory = directory / "first";
  first_options.server_name = same_wish_as(server_name);
  std::optional<Spawner> first(first_options);
  const auto other = script("true");
  ASSERT_TRUE(first->start(other));
  const auto spec = script("sleep 1000");
  ASSERT_TRUE(spawner->start(spec));
  const auto claimed = claims_of(directory / "run");
  ASSERT_THAT(claimed, SizeIs(1));
  first->remove(other.id);
  first->leave_host();

  spawner.emplace(options());
  spawner->signal(spec.id, SIGTERM);
  EXPECT_EQ(claims_of(directory / "run"), claimed);
  spawner->remove(spec.id);
  spawner->leave_host();
  EXPECT_THAT(claims_of(directory / "run"), IsEmpty());
}

// A data directory was deleted without a word, and its firewall refuses what is not its own.
TEST_F(NetworkTest, AServerThatTakesTheSliceOfAGoneOneIsNotRefusedByItsFirewall) {
  auto gone_options = options();
  gone_options.run_directory = directory / "gone";
  gone_options.server_name = same_wish_as(server_name);
  {
    Spawner gone(gone_options);
    const auto spec = script("true");
    ASSERT_TRUE(gone.start(spec));
    gone.remove(spec.id);
  }
  ASSERT_THAT(claims_of(gone_options.run_directory), SizeIs(1));
  std::filesystem::remove_all(gone_options.run_directory);

  const auto server = python(listens_on_5000);
  const auto started = spawner->start(server);
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_TRUE(eventually([&] { return connects(started->address, 5000); }));
  Spawner(gone_options).leave_host();
}

TEST_F(NetworkTest, ADynoReachesAServiceAndAServiceNobody) {
  auto service_options = options();
  service_options.run_directory = directory / "services";
  service_options.server_name = server_name + "s";
  service_options.purpose = Purpose::services;
  Spawner services(service_options);
  const std::string listening =
      "import socket, sys\n"
      "s = socket.socket(); s.bind(('0.0.0.0', 5432)); s.listen(8)\n"
      "while True:\n"
      "  c, who = s.accept(); c.sendall(who[0].encode()); c.close()\n";
  auto service = python(listening);
  const auto started = services.start(service);
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_THAT(started->address, testing::MatchesRegex("100\\.(9[6-9]|1[0-2][0-9])\\..*"));
  EXPECT_TRUE(eventually([&] { return connects(started->address, 5432); }));

  // The service sees the dyno's own address.
  const auto seen = run(python("import socket\n"
                               "s = socket.create_connection(('" +
                               started->address +
                               "', 5432), 5)\n"
                               "print(s.recv(99).decode() == s.getsockname()[0])\n"))
                        .output;
  EXPECT_EQ(seen, "True\n");
  EXPECT_EQ(try_from_inside(started->address, 80), "timed out");

  const auto dyno = spawner->start(python(listening));
  ASSERT_TRUE(dyno) << dyno.error().message;
  EXPECT_TRUE(eventually([&] { return connects(dyno->address, 5432); }));
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const os::Fd in(ends[0]);
  os::Fd out(ends[1]);
  const auto curious =
      services.start(python("import socket\n"
                            "for to in [('" +
                            dyno->address + "', 5432), ('" + started->address +
                            "', 5432), ('169.254.1.1', 22), ('9.9.9.9', 53)]:\n"
                            "  try: socket.create_connection(to, 0.5); print('open')\n"
                            "  except Exception as e: print(e)\n"),
                     out.get());
  out.close();
  ASSERT_TRUE(curious) << curious.error().message;
  EXPECT_EQ(read_to_end(in.get()), "timed out\ntimed out\ntimed out\ntimed out\n");

  // The address is kept over a restart.
  EXPECT_NE(services.free_address(), started->address);
  services.kill(service.id);
  service.id = new_uuid();
  service.address = started->address;
  const auto again = services.start(service);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->address, started->address);

  for (const auto& id : services.ids()) services.remove(id);
  services.leave_host();
}

TEST(Firewall, LetsOnlyReachableResolversThrough) {
  const std::string configuration =
      "search example.org\nnameserver 127.0.0.53\nnameserver 10.0.0.2\nnameserver ::1\n"
      "nameserver  9.9.9.9 \noptions ndots:1\n";
  EXPECT_THAT(resolvers_in(configuration), ElementsAre("10.0.0.2", "9.9.9.9"));
  EXPECT_EQ(reachable_resolvers_only(configuration),
            "search example.org\nnameserver 10.0.0.2\nnameserver  9.9.9.9 \noptions ndots:1\n");
  EXPECT_THAT(resolvers_in("nameserver 127.0.0.53\n"), IsEmpty());
}

TEST(Firewall, RefusesPrivateNetworksUnlessAllowed) {
  FirewallPlan plan{"renga_x", "rg0000", "100.64.0.0/20", {}, PrivateNetworks::refused};
  EXPECT_THAT(firewall_rules(plan), HasSubstr("192.168.0.0/16"));
  plan.private_networks = PrivateNetworks::allowed;
  EXPECT_THAT(firewall_rules(plan), Not(HasSubstr("192.168.0.0/16")));
  EXPECT_THAT(firewall_rules(plan), HasSubstr("169.254.0.0/16"));
}

}  // namespace
}  // namespace renga::sandbox
