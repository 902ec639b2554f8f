// Destinations: which addresses control may connect to on behalf of an app (log drains). Whoever
// may add a drain chooses the address, and control stands where dynos do not: next to the host's
// own services, private networks and the cloud's metadata. So the public internet is allowed, and
// of the rest only what the server's administrator lists. Asked with the address that is about to
// be connected to, never with a name: what a name resolves to may change between two looks. A
// value; safe from any thread.
#pragma once

#include <sys/socket.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace renga::net {

class Destinations {
 public:
  Destinations() = default;
  // "127.0.0.1, 10.1.0.0/16, fd00::/8": networks that are allowed besides. Kind::invalid: what of
  // it is no network.
  static Result<Destinations> parse(std::string_view networks);

  // Empty: it may be reached. Else why not, as "127.0.0.1 is an address of this machine".
  std::string refusal(const sockaddr* address) const;

 private:
  struct Network {
    std::array<unsigned char, 16> address{};  // IPv4 as ::ffff:a.b.c.d
    int bits = 128;
    bool holds(const std::array<unsigned char, 16>& other) const;
  };
  std::vector<Network> allowed_;
};

}  // namespace renga::net
