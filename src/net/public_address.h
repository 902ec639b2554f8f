// Whether an address is one of the internet's, as opposed to this machine's own or its network's.
// Whoever connects to where a stranger says asks this first: a name may lead anywhere, so it is the
// address that counts, after the name was resolved. Pure functions.
#pragma once

#include <sys/socket.h>

#include <string>

namespace renga::net {

// False for loopback, private, shared (100.64/10), link-local (cloud metadata), multicast and
// unspecified addresses, the IPv6 forms of these included, and for whatever is neither IPv4 nor
// IPv6. The ranges are those of the IANA special-purpose registries (RFC 6890); those that only
// documentation uses are not refused, since they lead nowhere.
bool is_public(const sockaddr* address);

// "10.0.0.1", for messages.
std::string address_text(const sockaddr* address);

}  // namespace renga::net
