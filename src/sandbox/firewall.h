// The rules that a server's sandboxes live under, as a ruleset for nft(8), and where names are
// looked up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace renga::sandbox {

// Whether sandboxes may talk to the host's private networks (10/8, 172.16/12, 192.168/16).
enum class PrivateNetworks { refused, allowed };

// Dynos and builds, or the servers of add-ons. The pool is halved between them (network.h). Dynos
// reach services by TCP and services reach nobody; nothing reaches dynos but the host.
enum class Purpose { dynos, services };

struct FirewallPlan {
  std::string table;                   // renga_<server>
  std::string interface_prefix;        // of the veths' ends on the host
  std::string slice;                   // "100.64.16.0/20"
  std::vector<std::string> resolvers;  // IPv4 addresses
  PrivateNetworks private_networks = PrivateNetworks::refused;
  Purpose purpose = Purpose::dynos;
};

// Replaces the table in one transaction, so that there is no moment without rules.
std::string firewall_rules(const FirewallPlan& plan);

// The IPv4 name servers of a resolv.conf that can be reached from another namespace: not loopback
// ones.
std::vector<std::string> resolvers_in(std::string_view resolv_conf);
// The same file without name servers that cannot be reached.
std::string reachable_resolvers_only(std::string_view resolv_conf);

}  // namespace renga::sandbox
