#include "net/destinations.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <cstring>
#include <memory>
#include <optional>

#include "base/text.h"

namespace renga::net {
namespace {

using Bytes = std::array<unsigned char, 16>;

Bytes mapped(const void* four) {
  Bytes bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  std::memcpy(bytes.data() + 12, four, 4);
  return bytes;
}

// An IPv6 address that only wraps an IPv4 one leads to that: IPv4-compatible (::a.b.c.d), NAT64
// (64:ff9b::/96) and 6to4 (2002::/16).
Bytes unwrapped(const Bytes& bytes) {
  static constexpr unsigned char nat64[12] = {0, 0x64, 0xff, 0x9b};
  static constexpr unsigned char zero[12] = {};
  if (std::memcmp(bytes.data(), nat64, 12) == 0) return mapped(bytes.data() + 12);
  if (std::memcmp(bytes.data(), zero, 12) == 0 && (bytes[12] != 0 || bytes[13] != 0))
    return mapped(bytes.data() + 12);
  if (bytes[0] == 0x20 && bytes[1] == 0x02) return mapped(bytes.data() + 2);
  return bytes;
}

std::optional<Bytes> bytes_of(const sockaddr* address) {
  if (address->sa_family == AF_INET)
    return mapped(&reinterpret_cast<const sockaddr_in*>(address)->sin_addr);
  if (address->sa_family != AF_INET6) return std::nullopt;
  Bytes bytes;
  std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, 16);
  return unwrapped(bytes);
}

std::optional<Bytes> bytes_of(const std::string& text) {
  unsigned char four[4];
  if (inet_pton(AF_INET, text.c_str(), four) == 1) return mapped(four);
  Bytes bytes;
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  return std::nullopt;
}

bool is_v4(const Bytes& bytes) {
  static constexpr unsigned char prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(bytes.data(), prefix, 12) == 0;
}

std::string text_of(const Bytes& bytes) {
  char text[INET6_ADDRSTRLEN] = {};
  if (is_v4(bytes))
    inet_ntop(AF_INET, bytes.data() + 12, text, sizeof text);
  else
    inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
  return text;
}

struct Special {
  const char* network;
  int bits;
  const char* what;
};

// The registries of special-purpose addresses (RFC 6890 and its updates), as far as something may
// answer there that is not the public internet.
constexpr Special special[] = {
    {"0.0.0.0", 8, "means this machine"},
    {"10.0.0.0", 8, "is private"},
    {"100.64.0.0", 10, "belongs to the platform's own networks"},
    {"127.0.0.0", 8, "is this machine's own"},
    {"169.254.0.0", 16, "is link-local"},
    {"172.16.0.0", 12, "is private"},
    {"192.0.0.0", 24, "is reserved"},
    {"192.168.0.0", 16, "is private"},
    {"198.18.0.0", 15, "is for tests of networks"},
    {"224.0.0.0", 4, "is multicast"},
    {"240.0.0.0", 4, "is reserved"},
    {"::", 127, "is this machine's own"},
    {"fc00::", 7, "is private"},
    {"fe80::", 10, "is link-local"},
    {"fec0::", 10, "is private"},
    {"ff00::", 8, "is multicast"},
};

bool same_network(const Bytes& a, const Bytes& b, int bits) {
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<unsigned char>(0xff << (8 - bits % 8));
  return (a[whole] & mask) == (b[whole] & mask);
}

bool is_of_this_machine(const Bytes& bytes) {
  ifaddrs* found = nullptr;
  if (getifaddrs(&found) != 0) return true;  // better no drain than a hole
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> all(found, &freeifaddrs);
  for (const auto* one = all.get(); one != nullptr; one = one->ifa_next)
    if (one->ifa_addr != nullptr && bytes_of(one->ifa_addr) == bytes) return true;
  return false;
}

}  // namespace

bool Destinations::Network::holds(const Bytes& other) const {
  return same_network(address, other, bits);
}

Result<Destinations> Destinations::parse(std::string_view networks) {
  Destinations destinations;
  for (const auto part : text::split(networks, ',')) {
    const auto word = text::trim(part);
    if (word.empty()) continue;
    const auto [address, length] = text::split_once(word, '/');
    const auto bytes = bytes_of(std::string(address));
    const int most = bytes && is_v4(*bytes) ? 32 : 128;
    const auto bits = word.contains('/') ? text::number(length) : std::optional<std::int64_t>(most);
    if (!bytes || !bits || *bits < 0 || *bits > most)
      return fail(Kind::invalid, "\"" + text::printable(word) +
                                     "\" is no network. Write it as 10.1.0.0/16, fd00::/8 or "
                                     "192.0.2.7, several with commas between them.");
    destinations.allowed_.push_back({*bytes, static_cast<int>(*bits) + 128 - most});
  }
  return destinations;
}

std::string Destinations::refusal(const sockaddr* address) const {
  const auto bytes = bytes_of(address);
  if (!bytes) return "it is not an internet address";
  for (const auto& network : allowed_)
    if (network.holds(*bytes)) return {};
  for (const auto& one : special) {
    const auto network = *bytes_of(std::string(one.network));
    const bool v4 = is_v4(network);
    if (v4 == is_v4(*bytes) && same_network(network, *bytes, one.bits + (v4 ? 96 : 0)))
      return text_of(*bytes) + " " + one.what;
  }
  if (is_of_this_machine(*bytes)) return text_of(*bytes) + " is this machine's own";
  return {};
}

}  // namespace renga::net
