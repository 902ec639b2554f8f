// The way between dynos and services past the firewall: that it is taken, and that nothing gets by
// it that the firewall refuses.
#include "sandbox/shortcut.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/id.h"
#include "base/text.h"
#include "os/file.h"
#include "os/namespaces.h"
#include "os/netlink.h"
#include "sandbox/testing/sandbox_fixture.h"

namespace renga::sandbox {
namespace {

constexpr std::uint16_t open_port = 5432;

std::uint32_t number_of(const std::string& address) {
  in_addr raw = {};
  inet_pton(AF_INET, address.c_str(), &raw);
  return ntohl(raw.s_addr);
}

// The host's end of the link of the sandbox that has this address.
std::string link_to(const std::string& address) {
  const auto wanted = fmt::format("\t{:08X}\t", htonl(number_of(address)));
  const auto routes = os::read_file("/proc/net/route").value_or("");
  for (const auto line : text::lines(routes))
    if (line.find(wanted) != line.npos) return std::string(line.substr(0, line.find('\t')));
  ADD_FAILURE() << "no link leads to " << address;
  return "lo";
}

// How many packets the host has sent to the sandbox that has this address.
std::int64_t sent_by_host_to(const std::string& address) {
  const auto file = "/sys/class/net/" + link_to(address) + "/statistics/tx_packets";
  return text::number(text::trim(os::read_file(file).value_or(""))).value_or(-1);
}

// How many TCP segments have come into a sandbox.
std::int64_t segments_in(const Running& sandbox) {
  const auto counters =
      os::read_file("/proc/" + std::to_string(sandbox.init_pid) + "/net/snmp").value_or("");
  std::vector<std::string_view> fields;
  for (const auto line : text::lines(counters))
    if (line.starts_with("Tcp: ")) fields = text::split(line, ' ');
  return fields.size() > 10 ? text::number(fields[10]).value_or(-1) : -1;
}

// If it has it.
void take_shortcut_from(const std::string& link) {
  os::Netlink request;
  tcmsg queue = {};
  queue.tcm_ifindex = static_cast<int>(os::interface_index(link));
  queue.tcm_handle = TC_H_MAKE(TC_H_INGRESS, 0);
  queue.tcm_parent = TC_H_INGRESS;
  request.request(RTM_DELQDISC, 0, queue);
  request.send();
}

struct Packet {
  const Running* from = nullptr;
  const Running* to = nullptr;
  std::uint16_t source_port = open_port;
  std::uint16_t destination_port = open_port;
  std::string source_address = {};       // its own
  std::uint8_t flags = TH_RST | TH_ACK;  // which nobody answers
};

class ShortcutTest : public SandboxTest {
 protected:
  void SetUp() override {
    SandboxTest::SetUp();
    auto service_options = options();
    service_options.run_directory = directory / "services";
    service_options.server_name = server_name + "s";
    service_options.purpose = Purpose::services;
    services.emplace(service_options);
  }
  void TearDown() override {
    for (const auto& id : services->ids()) services->remove(id);
    services->leave_host();
    services.reset();
    SandboxTest::TearDown();
  }

  Running start(Spawner& with, const Spec& spec, std::optional<int> output = {}) {
    auto started = with.start(spec, output);
    EXPECT_TRUE(started) << started.error().message;
    return started ? *started : Running{};
  }

  // Made by hand, as only the host's root can, in the sandbox's own network.
  void send(const Packet& packet) {
    struct {
      iphdr ip = {};
      tcphdr tcp = {};
    } bytes;
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(number_of(packet.to->address));
    bytes.ip.version = 4;
    bytes.ip.ihl = 5;
    bytes.ip.ttl = 64;
    bytes.ip.protocol = IPPROTO_TCP;
    bytes.ip.saddr = htonl(
        number_of(packet.source_address.empty() ? packet.from->address : packet.source_address));
    bytes.ip.daddr = to.sin_addr.s_addr;
    bytes.tcp.source = htons(packet.source_port);
    bytes.tcp.dest = htons(packet.destination_port);
    bytes.tcp.doff = 5;
    bytes.tcp.th_flags = packet.flags;
    os::in_network_of(spawner->watch(*packet.from), [&] {
      const os::Fd raw(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
      const auto sent = sendto(raw.get(), &bytes, sizeof bytes, 0,
                               reinterpret_cast<const sockaddr*>(&to), sizeof to);
      EXPECT_EQ(sent, static_cast<ssize_t>(sizeof bytes)) << strerror(errno);
    });
  }

  void expect_let_through(const Packet& packet) {
    const auto before = segments_in(*packet.to);
    send(packet);
    EXPECT_TRUE(eventually([&] { return segments_in(*packet.to) > before; }));
  }
  // One that is let through follows it, and is then the only one that has come.
  void expect_refused(const Packet& packet, const Running& let_through_from) {
    const auto before = segments_in(*packet.to);
    send(packet);
    expect_let_through({.from = &let_through_from, .to = packet.to});
    EXPECT_EQ(segments_in(*packet.to), before + 1)
        << packet.source_address << ":" << packet.source_port << " to " << packet.to->address << ":"
        << packet.destination_port;
  }

  std::optional<Spawner> services;
};

TEST_F(ShortcutTest, WhatAConnectionCarriesDoesNotCrossTheHost) {
  if (!Shortcut().is_there()) GTEST_SKIP() << "this kernel takes no program of renga's";
  const auto service = start(*services, python("import socket\n"
                                               "s = socket.create_server(('0.0.0.0', 5432))\n"
                                               "while True:\n"
                                               "  c = s.accept()[0]\n"
                                               "  while c.send(c.recv(1)): pass\n"));
  auto asks = python(
      "import os, socket, time\n"
      "for _ in range(100):\n"
      "  try: s = socket.create_connection((os.environ['ASK'], 5432), 5); break\n"
      "  except ConnectionRefusedError: time.sleep(0.05)\n"
      "for _ in range(200): s.send(b'x'); s.recv(1)\n"
      "print('asked', flush=True); time.sleep(1000)\n");
  asks.env["ASK"] = service.address;
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const os::Fd in(ends[0]);
  os::Fd out(ends[1]);
  const auto dyno = start(*spawner, asks, out.get());
  out.close();
  char word[8] = {};
  ASSERT_EQ(read(in.get(), word, sizeof word), 6);
  EXPECT_LT(sent_by_host_to(service.address), 100);
  EXPECT_LT(sent_by_host_to(dyno.address), 100);
}

TEST_F(ShortcutTest, RefusesWhatTheFirewallRefuses) {
  auto sleeps = script("sleep 1000");
  const auto service = start(*services, sleeps);
  sleeps.id = new_uuid();
  const auto other_service = start(*services, sleeps);
  sleeps.id = new_uuid();
  sleeps.env["DATABASE_URL"] = "postgres://" + service.address;
  const auto dyno = start(*spawner, sleeps);
  sleeps.id = new_uuid();
  const auto other_dyno = start(*spawner, sleeps);

  for (const bool with_shortcut : {true, false}) {
    SCOPED_TRACE(with_shortcut ? "by the shortcut" : "by the firewall alone");
    if (!with_shortcut)
      for (const auto* sandbox : {&service, &other_service, &dyno, &other_dyno})
        take_shortcut_from(link_to(sandbox->address));

    expect_let_through({.from = &dyno, .to = &service});
    expect_let_through({.from = &service, .to = &dyno});
    // Under another's address.
    expect_refused({.from = &dyno, .to = &service, .source_address = other_dyno.address}, dyno);
    expect_refused({.from = &dyno, .to = &service, .source_address = "9.9.9.9"}, dyno);
    expect_refused({.from = &dyno, .to = &other_dyno, .source_address = service.address}, service);
    expect_refused({.from = &service, .to = &dyno, .source_address = other_service.address},
                   service);
    // A port that dynos may not reach.
    expect_refused({.from = &dyno, .to = &service, .destination_port = 80}, dyno);
    expect_refused({.from = &service, .to = &dyno, .source_port = 80}, service);
    // A service begins no connection.
    expect_refused({.from = &service, .to = &dyno, .flags = TH_SYN}, service);
    // Between two of a kind.
    expect_refused({.from = &dyno, .to = &other_dyno}, service);
    expect_refused({.from = &service, .to = &other_service}, dyno);
  }
}

TEST(NamesService, IsToldByAnAddressOfTheirHalf) {
  EXPECT_TRUE(names_service("postgres://u:p@100.96.0.1:5432/d"));
  EXPECT_TRUE(names_service("100.1.2.3,100.127.255.254"));
  EXPECT_FALSE(names_service("postgres://u:p@100.95.255.254:5432/d"));
  EXPECT_FALSE(names_service("100.128.0.1 100. 100.x 100.99999999999"));
  EXPECT_FALSE(names_service(""));
}

}  // namespace
}  // namespace renga::sandbox
