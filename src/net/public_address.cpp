#include "net/public_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace renga::net {
namespace {

struct Range {
  std::uint32_t first;
  int bits;
};
constexpr Range refused[] = {
    {0x00000000, 8},   // this network
    {0x0a000000, 8},   // private
    {0x64400000, 10},  // shared; renga's own sandboxes
    {0x7f000000, 8},   // loopback
    {0xa9fe0000, 16},  // link-local
    {0xac100000, 12},  // private
    {0xc0000000, 24},  // protocol assignments
    {0xc0a80000, 16},  // private
    {0xc6120000, 15},  // benchmarks
    {0xe0000000, 3},   // multicast, reserved, broadcast
};

bool is_public_v4(std::uint32_t address) {
  return std::ranges::none_of(refused, [&](const Range& range) {
    return (address >> (32 - range.bits)) == (range.first >> (32 - range.bits));
  });
}

std::uint32_t v4_at(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | std::uint32_t{bytes[3]};
}

bool is_public_v6(const std::uint8_t (&bytes)[16]) {
  const auto starts = [&](std::initializer_list<std::uint8_t> with) {
    return std::equal(with.begin(), with.end(), bytes);
  };
  // IPv4 in disguise counts as what it is: mapped, compatible (and ::, ::1), NAT64, 6to4.
  if (starts({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}) ||
      starts({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) ||
      starts({0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0}))
    return is_public_v4(v4_at(bytes + 12));
  if (starts({0x20, 0x02})) return is_public_v4(v4_at(bytes + 2));
  // 2000::/3 is all that is given out; Teredo tunnels through it to any IPv4 address.
  return (bytes[0] & 0xe0) == 0x20 && !starts({0x20, 0x01, 0, 0});
}

}  // namespace

bool is_public(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof v4);
    return is_public_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof v6);
    return is_public_v6(v6.sin6_addr.s6_addr);
  }
  return false;
}

std::string address_text(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "an address of another kind";
  if (address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof v4);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof v6);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
  }
  return text;
}

}  // namespace renga::net
