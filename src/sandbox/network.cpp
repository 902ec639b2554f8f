#include "sandbox/network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/fault.h"
#include "base/random.h"
#include "base/report.h"
#include "base/text.h"
#include "os/file.h"
#include "os/netlink.h"
#include "os/process.h"
#include "sandbox/address_pool.h"

namespace renga::sandbox {
namespace {

constexpr std::uint32_t slice_size = 4096;     // a /20
constexpr std::uint32_t slices = 512;          // of them in each half of the pool
constexpr std::uint32_t gateway = 0xA9FE0101;  // 169.254.1.1
constexpr std::uint32_t one_queue =
    1;  // of a link; otherwise as many as CPUs, with memory for each
// Of both ends of every link. Neither asks for the other's (IFF_NOARP), and sends to its own, which
// is the same. What is learned by asking lies in one table of all namespaces, with 1,024 places:
// 512 sandboxes that talk fill it.
constexpr std::string_view link_address = "\x02renga";
constexpr const char* notes = "/run/renga/net";  // which server has which slice
// It takes milliseconds. A host that swaps or is emulated takes many seconds, and without the rules
// there is no sandbox at all.
constexpr std::chrono::minutes nft_limit{1};

// FNV-1a: only to spread names, and the same on every run.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char c : text) hash = (hash ^ c) * 0x100000001b3;
  return hash;
}

std::string hex_digits(std::uint64_t number, std::size_t digits) {
  std::string result;
  for (std::size_t i = 0; i < digits; ++i) result += "0123456789abcdef"[number >> (4 * i) & 15];
  return result;
}

std::string dotted(std::uint32_t address) {
  const in_addr raw{htonl(address)};
  char text[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &raw, text, sizeof text);
  return text;
}

// Network byte order, as the kernel wants addresses.
std::uint32_t wire(std::uint32_t address) { return htonl(address); }

void check(const std::vector<int>& errors, const std::string& attempted) {
  for (const int error : errors)
    if (error != 0) fault(error, attempted);
}

ifinfomsg interface(unsigned index, unsigned flags) {
  ifinfomsg header = {};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = static_cast<int>(index);
  header.ifi_flags = header.ifi_change = flags;
  return header;
}

rtmsg route(unsigned char bits, unsigned char scope) {
  rtmsg header = {};
  header.rtm_family = AF_INET;
  header.rtm_dst_len = bits;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_scope = scope;
  header.rtm_type = RTN_UNICAST;
  return header;
}

constexpr std::uint16_t create_new = NLM_F_CREATE | NLM_F_EXCL;

void add_address(os::Netlink& batch, unsigned index, std::uint32_t address, unsigned char scope) {
  ifaddrmsg header = {};
  header.ifa_family = AF_INET;
  header.ifa_prefixlen = 32;
  header.ifa_scope = scope;
  header.ifa_index = index;
  batch.request(RTM_NEWADDR, create_new, header)
      .attribute(IFA_LOCAL, wire(address))
      .attribute(IFA_ADDRESS, wire(address));
}

// No IPv6 on either end: not even the link-local address that a link gets by itself.
void refuse_ipv6(os::Netlink& batch) {
  batch.open_nest(AF_INET6)
      .attribute(IFLA_INET6_ADDR_GEN_MODE, std::uint8_t{IN6_ADDR_GEN_MODE_NONE})
      .close_nest();
}

void set_up_host_end(unsigned index) {
  os::Netlink batch;
  batch.request(RTM_SETLINK, 0, interface(index, 0)).open_nest(IFLA_AF_SPEC);
  refuse_ipv6(batch);
  // Only packets that come from the sandbox's own address are taken from this link.
  batch.open_nest(AF_INET)
      .open_nest(IFLA_INET_CONF)
      .attribute(IPV4_DEVCONF_RP_FILTER, std::uint32_t{1})
      .attribute(IPV4_DEVCONF_FORWARDING, std::uint32_t{1})
      .close_nest()
      .close_nest()
      .close_nest();
  batch.request(RTM_SETLINK, 0, interface(index, IFF_UP | IFF_NOARP));
  add_address(batch, index, gateway, RT_SCOPE_LINK);
  check(batch.send(), "set up the host's end of a sandbox's link");
}

void set_up_inside(std::uint32_t address) {
  const auto loopback = os::interface_index("lo");
  const auto link = os::interface_index("eth0");
  os::Netlink batch;
  batch.request(RTM_SETLINK, 0, interface(link, 0)).open_nest(IFLA_AF_SPEC);
  refuse_ipv6(batch);
  batch.close_nest();
  batch.request(RTM_SETLINK, 0, interface(loopback, IFF_UP));
  batch.request(RTM_SETLINK, 0, interface(link, IFF_UP | IFF_NOARP));
  add_address(batch, link, address, RT_SCOPE_UNIVERSE);
  batch.request(RTM_NEWROUTE, create_new, route(32, RT_SCOPE_LINK))
      .attribute(RTA_DST, wire(gateway))
      .attribute(RTA_OIF, std::uint32_t{link});
  batch.request(RTM_NEWROUTE, create_new, route(0, RT_SCOPE_UNIVERSE))
      .attribute(RTA_GATEWAY, wire(gateway))
      .attribute(RTA_OIF, std::uint32_t{link});
  check(batch.send(), "set up the sandbox's end of its link");
}

// The kernel's main and other tables: is any route into this slice there that is not over `prefix`?
bool routed_elsewhere(std::uint32_t first, const std::string& prefix) {
  os::Netlink request;
  rtmsg header = {};
  header.rtm_family = AF_INET;
  request.request(RTM_GETROUTE, NLM_F_DUMP, header);
  for (const auto& message : request.dump()) {
    rtmsg route_header;
    const std::size_t head = sizeof(nlmsghdr) + sizeof route_header;
    if (message.size() < head) continue;
    std::memcpy(&route_header, message.data() + sizeof(nlmsghdr), sizeof route_header);
    std::uint32_t destination = 0, device = 0;
    for (std::size_t at = head; at + sizeof(nlattr) + 4 <= message.size();) {
      nlattr attribute;
      std::memcpy(&attribute, message.data() + at, sizeof attribute);
      if (attribute.nla_len < sizeof attribute) break;
      const auto* value = message.data() + at + sizeof attribute;
      if (attribute.nla_type == RTA_DST) std::memcpy(&destination, value, 4);
      if (attribute.nla_type == RTA_OIF) std::memcpy(&device, value, 4);
      at += (attribute.nla_len + 3u) & ~3u;
    }
    const auto address = ntohl(destination);
    if (route_header.rtm_dst_len < 20 || address < first || address >= first + slice_size) continue;
    char name[IF_NAMESIZE] = {};
    if (if_indextoname(device, name) != nullptr && !std::string_view(name).starts_with(prefix))
      return true;
  }
  return false;
}

std::filesystem::path note_of(std::uint32_t slice) {
  return std::filesystem::path(notes) / std::to_string((slice - first_of_dynos) / slice_size);
}

// Held while notes are read and written.
os::Fd lock_notes() {
  auto lock = os::open_file(std::string(notes) + "/lock", O_RDWR | O_CREAT, 0600);
  if (flock(lock.get(), LOCK_EX) != 0) fault("lock " + std::string(notes));
  return lock;
}

}  // namespace

Network::Network(const std::string& server_name, std::string run_directory, Purpose purpose)
    : server_name_(server_name), run_directory_(std::move(run_directory)), purpose_(purpose) {}

void Network::prepare() {
  claim_slice();
  next_ = static_cast<std::uint32_t>(random_below(slice_size));
  resolver_configuration();
  if (text::trim(os::read_file("/proc/sys/net/ipv4/ip_forward").value_or("")) != "1")
    os::write_control("/proc/sys/net/ipv4/ip_forward", "1");
}

void Network::claim_slice() {
  std::filesystem::create_directories(notes);
  const auto lock = lock_notes();
  // What an earlier spawner of this server has claimed stays its own, with the sandboxes that run
  // in it, though the one that it had wished for be free by now.
  for (const auto& note : std::filesystem::directory_iterator(notes)) {
    const auto number = text::number(note.path().filename().string());
    if (number && os::read_file(note.path()) == run_directory_ &&
        try_slice(static_cast<std::uint32_t>(*number)))
      return;
  }
  const auto wished = wished_slice(server_name_);
  for (std::uint32_t i = 0; i < slices; ++i)
    if (try_slice((wished + i) % slices + (purpose_ == Purpose::services ? slices : 0))) return;
  fault(EADDRNOTAVAIL, "find free addresses in 100.64.0.0/10 (see " + std::string(notes) + ")");
}

bool Network::try_slice(std::uint32_t number) {
  const auto first = first_of_dynos + number * slice_size;
  const auto note = note_of(first);
  if (const auto owner = os::read_file(note)) {
    // A note whose server's directory is gone is of a server that is gone.
    if (*owner != run_directory_ && std::filesystem::exists(*owner)) return false;
  }
  // The slice makes it unique among servers that share notes; the name, among others, nearly so.
  const auto prefix = "rg" + hex_digits(number, 3) + hex_digits(hash_of(server_name_), 2);
  if (routed_elsewhere(first, prefix)) return false;
  os::replace_file(note, run_directory_, 0644);
  slice_ = first;
  prefix_ = prefix;
  return true;
}

std::uint32_t Network::wished_slice(std::string_view server_name) {
  return static_cast<std::uint32_t>(hash_of(server_name) >> 16 & (slices - 1));
}

void Network::leave() {
  const auto lock = lock_notes();
  os::run({.argv = {"nft", "delete", "table", "inet", table()}}, {}, nft_limit);
  loaded_ = false;
  std::filesystem::remove(note_of(slice_));
}

// One a slice: whoever claims the slice of a server that is gone takes its firewall away as well,
// which would refuse what comes from interfaces that are not its own.
std::string Network::table() const { return "renga_" + note_of(slice_).filename().string(); }

std::string Network::resolver_configuration() {
  auto configuration = os::read_file("/etc/resolv.conf").value_or("");
  auto resolvers = resolvers_in(configuration);
  // Where systemd-resolved answers on the host's loopback, no sandbox gets; these are whom it asks.
  if (resolvers.empty()) {
    configuration = os::read_file("/run/systemd/resolve/resolv.conf").value_or(configuration);
    resolvers = resolvers_in(configuration);
  }
  if (resolvers != resolvers_ || !loaded_) {
    resolvers_ = std::move(resolvers);
    load_firewall();
    loaded_ = true;
  }
  return reachable_resolvers_only(configuration);
}

void Network::load_firewall() {
  const char* allowed = std::getenv("RENGA_ALLOW_PRIVATE");
  const bool allow = allowed != nullptr && std::string_view(allowed) == "1";
  const auto rules =
      firewall_rules({table(), prefix_, dotted(slice_) + "/20", resolvers_,
                      allow ? PrivateNetworks::allowed : PrivateNetworks::refused, purpose_});
  const auto loaded = os::run({.argv = {"nft", "-f", "-"}}, rules, nft_limit);
  if (loaded.status != 0)
    fault(EPROTO, "load the firewall's rules: nft said: " + text::printable(loaded.err));
}

// False when the address is taken.
bool Network::route_to(std::uint32_t address, unsigned interface) {
  os::Netlink batch;
  batch.request(RTM_NEWROUTE, create_new, route(32, RT_SCOPE_LINK))
      .attribute(RTA_DST, wire(address))
      .attribute(RTA_OIF, std::uint32_t{interface});
  const int error = batch.send().front();
  if (error != 0 && error != EEXIST) fault(error, "route a sandbox's address");
  return error == 0;
}

std::string Network::free_address() {
  const auto loopback = os::interface_index("lo");
  for (std::uint32_t tries = 0; tries < slice_size; ++tries) {
    next_ = next_ % (slice_size - 2) + 1;
    const auto address = slice_ + next_;
    // Routed for an instant: the kernel alone knows which are taken.
    if (!route_to(address, loopback)) continue;
    os::Netlink batch;
    batch.request(RTM_DELROUTE, 0, route(32, RT_SCOPE_LINK))
        .attribute(RTA_DST, wire(address))
        .attribute(RTA_OIF, std::uint32_t{loopback});
    check(batch.send(), "take back a route");
    return dotted(address);
  }
  fault(EADDRNOTAVAIL, "find a free address: all of " + dotted(slice_) + "/20 are taken");
}

// 7 characters for the server, 8 for the sandbox: the 15 that there may be.
std::string Network::link_of(const std::string& id) const { return prefix_ + id.substr(0, 8); }

void Network::shorten(const std::string& id) { shortcut_.give(os::interface_index(link_of(id))); }

std::string Network::join(const os::Cloned& process, const std::string& id,
                          const std::string& wanted) {
  const auto name = link_of(id);
  {
    os::Netlink batch;
    batch.request(RTM_NEWLINK, create_new, interface(0, 0))
        .attribute(IFLA_IFNAME, name)
        .attribute(IFLA_ADDRESS, link_address.data(), link_address.size())
        .attribute(IFLA_NUM_TX_QUEUES, one_queue)
        .attribute(IFLA_NUM_RX_QUEUES, one_queue)
        .open_nest(IFLA_LINKINFO)
        .attribute(IFLA_INFO_KIND, std::string_view("veth"))
        .open_nest(IFLA_INFO_DATA)
        .open_nest(VETH_INFO_PEER)
        .nested_header(interface(0, 0))
        .attribute(IFLA_IFNAME, std::string_view("eth0"))
        .attribute(IFLA_ADDRESS, link_address.data(), link_address.size())
        .attribute(IFLA_NUM_TX_QUEUES, one_queue)
        .attribute(IFLA_NUM_RX_QUEUES, one_queue)
        .attribute(IFLA_NET_NS_PID, static_cast<std::uint32_t>(process.pid))
        .close_nest()
        .close_nest()
        .close_nest();
    check(batch.send(), "make a sandbox's link");
  }
  const auto index = os::interface_index(name);
  set_up_host_end(index);
  const auto settle = [&](std::uint32_t address) {
    os::in_network_of(process.pidfd, [address] { set_up_inside(address); });
    return dotted(address);
  };
  in_addr raw;
  if (inet_pton(AF_INET, wanted.c_str(), &raw) == 1) {
    const auto address = ntohl(raw.s_addr);
    // A namespace that has ended keeps its link, and so its route, for a moment.
    if (address > slice_ && address < slice_ + slice_size - 1)
      for (int tries = 0; tries < 500; ++tries) {
        if (route_to(address, index)) return settle(address);
        poll(nullptr, 0, 10);
      }
  }
  for (std::uint32_t tries = 0; tries < slice_size; ++tries) {
    next_ = next_ % (slice_size - 2) + 1;  // never the slice's first or last address
    if (route_to(slice_ + next_, index)) return settle(slice_ + next_);
  }
  fault(EADDRNOTAVAIL, "find a free address: all of " + dotted(slice_) + "/20 are taken");
}

}  // namespace renga::sandbox
