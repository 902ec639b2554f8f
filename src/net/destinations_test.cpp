#include "net/destinations.h"

#include <gtest/gtest.h>

#include "net/socket.h"

namespace renga::net {
namespace {

std::string refusal(const Destinations& destinations, const std::string& host) {
  const auto address =
      Address::parse(host.contains(':') ? "[" + host + "]:514" : host + ":514").value();
  return destinations.refusal(address.raw());
}

TEST(Destinations, ReachThePublicInternetAlone) {
  const Destinations usual;
  for (const auto* host : {"192.0.2.1", "8.8.8.8", "2606:4700::1111", "172.32.0.1", "100.128.0.1"})
    EXPECT_EQ(refusal(usual, host), "") << host;
  for (const auto* host : {"127.0.0.1",
                           "127.9.9.9",
                           "10.0.0.1",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.168.1.1",
                           "169.254.169.254",
                           "100.64.0.1",
                           "0.0.0.0",
                           "224.0.0.1",
                           "255.255.255.255",
                           "::1",
                           "::",
                           "fe80::1",
                           "fd12::1",
                           "ff02::1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1",
                           "64:ff9b::a00:1",
                           "2002:7f00:1::",
                           "::7f00:1"})
    EXPECT_NE(refusal(usual, host), "") << host;
}

TEST(Destinations, ReachWhatTheAdministratorLists) {
  const auto some = Destinations::parse(" 127.0.0.1, 10.1.0.0/16,fd00::/8").value();
  for (const auto* host : {"127.0.0.1", "10.1.200.3", "fd12::1", "::ffff:10.1.0.1", "8.8.8.8"})
    EXPECT_EQ(refusal(some, host), "") << host;
  for (const auto* host : {"127.0.0.2", "10.2.0.1", "fe80::1"})
    EXPECT_NE(refusal(some, host), "") << host;
  const auto all = Destinations::parse("0.0.0.0/0").value();
  EXPECT_EQ(refusal(all, "127.0.0.1"), "");
  EXPECT_NE(refusal(all, "::1"), "");
}

TEST(Destinations, RefuseWhatIsNoNetwork) {
  for (const auto* text : {"localhost", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "1.2.3.4/", "/8",
                           "10.0.0.0/-1", "10.0.0.0/8x"})
    EXPECT_FALSE(Destinations::parse(text)) << text;
  EXPECT_TRUE(Destinations::parse(""));
}

}  // namespace
}  // namespace renga::net
