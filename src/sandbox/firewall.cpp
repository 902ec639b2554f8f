#include "sandbox/firewall.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/text.h"
#include "sandbox/address_pool.h"

namespace renga::sandbox {
namespace {

bool is_reachable(std::string_view address) {
  in_addr parsed;
  const std::string text(address);
  return inet_pton(AF_INET, text.c_str(), &parsed) == 1 && (ntohl(parsed.s_addr) >> 24) != 127;
}

// "nameserver ADDRESS" gives the address, anything else nothing.
std::string_view name_server(std::string_view line) {
  line = text::trim(line);
  if (!line.starts_with("nameserver")) return {};
  return text::trim(line.substr(std::string_view("nameserver").size()));
}

}  // namespace

std::string firewall_rules(const FirewallPlan& plan) {
  const bool services = plan.purpose == Purpose::services;
  std::string dns;
  if (!plan.resolvers.empty() && !services) {
    const auto list = text::join(plan.resolvers, ", ");
    dns = fmt::format(
        "    ip daddr {{ {} }} udp dport 53 accept\n"
        "    ip daddr {{ {} }} tcp dport 53 accept\n",
        list, list);
  }
  // Services neither reach the internet nor hear of it.
  std::string to_internet = "    drop\n", from_internet;
  if (!services) {
    from_internet = fmt::format("    oifname \"{}*\" ct state established,related accept\n",
                                plan.interface_prefix);
    to_internet = dns +
                  "    ip daddr { 100.64.0.0/10, 169.254.0.0/16, 127.0.0.0/8, 0.0.0.0/8, "
                  "224.0.0.0/3 } drop\n";
    if (plan.private_networks == PrivateNetworks::refused)
      to_internet += "    ip daddr { 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 } drop\n";
  }
  // Services answer and ask nobody. Dynos may ask services; whose they are, the password decides.
  // Nothing of this is tracked: what a packet is, it says itself, since no sandbox makes packets by
  // hand (it gets no raw socket), and where there is no connection, the kernel asks for one by SYN
  // or refuses by RST.
  const auto others = services ? dynos_half : services_half;
  constexpr std::string_view answer = " tcp flags & (syn | ack) != syn";
  const auto in = fmt::format("ip saddr {} tcp {} >= {}{}", others, services ? "dport" : "sport",
                              first_open_port, services ? "" : answer);
  const auto out = fmt::format("ip daddr {} tcp {} >= {}{}", others, services ? "sport" : "dport",
                               first_open_port, services ? answer : "");
  // The host's own connections to a sandbox that is gone must fail: without its route they would
  // leave by the default one, where a stranger may answer. Declared and deleted first, so that it
  // can be deleted the first time, too.
  return fmt::format(R"(table inet {table} {{}}
delete table inet {table}
table inet {table} {{
  chain spoofed {{
    type filter hook prerouting priority raw; policy accept;
    iifname "{prefix}*" meta nfproto ipv6 drop
    iifname "{prefix}*" ip saddr != {slice} drop
    iifname "{prefix}*" {out} notrack
  }}
  chain to_host {{
    type filter hook input priority filter; policy accept;
    iifname "{prefix}*" jump from_sandbox_to_host
  }}
  chain from_sandbox_to_host {{
    ct state established,related accept
{dns}    drop
  }}
  chain through_host {{
    type filter hook forward priority filter; policy accept;
{from_internet}    iifname "rg*" oifname "{prefix}*" {in} accept
    oifname "{prefix}*" drop
    iifname "{prefix}*" jump from_sandbox_out
  }}
  chain from_sandbox_out {{
    oifname "rg*" {out} accept
{to_internet}  }}
  chain to_gone_sandbox {{
    type filter hook output priority filter; policy accept;
    ip daddr {slice} oifname != "{prefix}*" reject with icmpx type host-unreachable
  }}
  chain outwards {{
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr {slice} ip daddr != 100.64.0.0/10 oifname != "{prefix}*" masquerade
  }}
}}
)",
                     fmt::arg("table", plan.table), fmt::arg("prefix", plan.interface_prefix),
                     fmt::arg("slice", plan.slice), fmt::arg("dns", dns), fmt::arg("in", in),
                     fmt::arg("out", out), fmt::arg("from_internet", from_internet),
                     fmt::arg("to_internet", to_internet));
}

std::vector<std::string> resolvers_in(std::string_view resolv_conf) {
  std::vector<std::string> result;
  for (const auto line : text::lines(resolv_conf))
    if (const auto address = name_server(line); is_reachable(address)) result.emplace_back(address);
  return result;
}

std::string reachable_resolvers_only(std::string_view resolv_conf) {
  std::string result;
  for (const auto line : text::lines(resolv_conf)) {
    const auto address = name_server(line);
    if (!address.empty() && !is_reachable(address)) continue;
    result.append(line).append("\n");
  }
  return result;
}

}  // namespace renga::sandbox
