#include "net/public_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace renga::net {
namespace {

bool public_v4(const char* text) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  EXPECT_EQ(inet_pton(AF_INET, text, &address.sin_addr), 1) << text;
  return is_public(reinterpret_cast<const sockaddr*>(&address));
}

bool public_v6(const char* text) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  EXPECT_EQ(inet_pton(AF_INET6, text, &address.sin6_addr), 1) << text;
  return is_public(reinterpret_cast<const sockaddr*>(&address));
}

TEST(PublicAddress, KnowsTheInternetFromTheMachine) {
  for (const auto* text : {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
                           "172.15.0.1", "172.32.0.1", "192.167.0.1", "223.255.255.255"})
    EXPECT_TRUE(public_v4(text)) << text;
  for (const auto* text : {"0.0.0.0", "10.0.0.1", "100.64.0.1", "100.127.0.1", "127.0.0.1",
                           "127.9.9.9", "169.254.169.254", "172.16.0.1", "172.31.255.255",
                           "192.168.1.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"})
    EXPECT_FALSE(public_v4(text)) << text;
}

TEST(PublicAddress, SeesThroughTheFormsOfIPv6) {
  EXPECT_TRUE(public_v6("2606:4700::1111"));
  EXPECT_TRUE(public_v6("::ffff:1.1.1.1"));
  EXPECT_TRUE(public_v6("64:ff9b::1.1.1.1"));
  for (const auto* text :
       {"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "fc00::1", "fd12::1",
        "fe80::1", "ff02::1", "64:ff9b::10.0.0.1", "2002:7f00:1::", "2002:c0a8:101::", "2001::1"})
    EXPECT_FALSE(public_v6(text)) << text;
}

TEST(PublicAddress, TrustsNoOtherFamily) {
  sockaddr address{};
  address.sa_family = AF_UNIX;
  EXPECT_FALSE(is_public(&address));
}

}  // namespace
}  // namespace renga::net
