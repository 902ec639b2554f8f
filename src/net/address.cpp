#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

#include "base/fault.h"
#include "net/socket.h"

namespace renga::net {

namespace {

struct HostPort {
  std::string host;
  std::string port;
};

// "HOST:PORT", where an IPv6 address stands in brackets.
std::optional<HostPort> split(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto host = text.substr(0, colon);
  const auto port = text.substr(colon + 1);
  unsigned number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number > 65535) {
    return std::nullopt;
  }
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  if (host.empty()) return std::nullopt;
  return HostPort{std::string(host), std::string(port)};
}

Result<std::vector<Address>> look_up(const std::string& host_port, int flags) {
  const auto parts = split(host_port);
  if (!parts) {
    return fail(Kind::invalid, "\"" + host_port +
                                   "\" is not an address. Write HOST:PORT, such as 127.0.0.1:7373 "
                                   "or [::1]:7373; 0.0.0.0 stands for every interface.");
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const auto error = ::getaddrinfo(parts->host.c_str(), parts->port.c_str(), &hints, &list);
  if (error != 0) {
    return fail(Kind::unavailable,
                "The host \"" + parts->host + "\" cannot be found: " + ::gai_strerror(error) + ".");
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  std::vector<Address> found;
  for (const auto* one = list; one != nullptr; one = one->ai_next) {
    if (one->ai_family == AF_INET || one->ai_family == AF_INET6) {
      found.emplace_back(one->ai_addr, one->ai_addrlen);
    }
  }
  std::stable_partition(found.begin(), found.end(),
                        [](const Address& address) { return address.family() == AF_INET; });
  if (found.empty()) {
    return fail(Kind::unavailable, "The host \"" + parts->host + "\" has no IP address.");
  }
  return found;
}

}  // namespace

Address::Address(const sockaddr* address, socklen_t size)
    : size_(std::min<socklen_t>(size, sizeof storage_)) {
  std::memcpy(&storage_, address, size_);
}

std::optional<Address> Address::parse(std::string_view host_port) {
  auto found = look_up(std::string(host_port), AI_NUMERICHOST);
  if (!found) return std::nullopt;
  return found->front();
}

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr, text,
                sizeof text);
  } else if (family() == AF_INET6) {
    const auto& address = reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&address)) {  // a client of "[::]" that came over IPv4
      ::inet_ntop(AF_INET, &address.s6_addr[12], text, sizeof text);
    } else {
      ::inet_ntop(AF_INET6, &address, text, sizeof text);
    }
  }
  return text;
}

std::uint16_t Address::port() const {
  if (family() == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
  }
  if (family() == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
  }
  return 0;
}

std::string Address::text() const {
  if (family() != AF_INET && family() != AF_INET6) return "unix";
  const auto name = host();
  const auto port_text = std::to_string(port());
  return name.find(':') == std::string::npos ? name + ":" + port_text
                                             : "[" + name + "]:" + port_text;
}

Result<std::vector<Address>> resolve(const std::string& host_port) { return look_up(host_port, 0); }

Address local_address(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) fault("getsockname");
  return Address(reinterpret_cast<const sockaddr*>(&storage), size);
}

}  // namespace renga::net
