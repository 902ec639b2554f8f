#include "sandbox/firewall.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/text.h"

namespace renga::sandbox {
namespace {

constexpr std::string_view dynos_half = "100.64.0.0/11";
constexpr std::string_view services_half = "100.96.0.0/11";

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
  const auto* private_rule =
      plan.private_networks == PrivateNetworks::allowed
          ? ""
          : "    ip daddr { 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 } drop\n";
  // Services answer and ask nobody. Dynos may ask services; whose they are, the password decides.
  const std::string inwards =
      services ? fmt::format("    oifname \"{}*\" ip saddr {} tcp dport >= 1024 accept\n",
                             plan.interface_prefix, dynos_half)
               : "";
  const std::string outwards =
      services ? "    ct state established,related accept\n    drop\n"
               : fmt::format("    ip daddr {} tcp dport >= 1024 accept\n", services_half);
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
    oifname "{prefix}*" ct state established,related accept
{inwards}    oifname "{prefix}*" drop
    iifname "{prefix}*" jump from_sandbox_out
  }}
  chain from_sandbox_out {{
{dns}{to_services}    ip daddr {{ 100.64.0.0/10, 169.254.0.0/16, 127.0.0.0/8, 0.0.0.0/8, 224.0.0.0/3 }} drop
{private_rule}  }}
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
                     fmt::arg("slice", plan.slice), fmt::arg("dns", dns),
                     fmt::arg("private_rule", private_rule), fmt::arg("inwards", inwards),
                     fmt::arg("to_services", outwards));
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
