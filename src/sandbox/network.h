// Network: every sandbox has a network namespace of its own, joined to the host by a point-to-point
// veth: inside eth0 with an address of 100.64.0.0/10 and everything routed to 169.254.1.1, which is
// the host's end. There is no bridge, so that no sandbox shares a link with another.
//
// Each server has a slice of 4,096 addresses, told from other servers' on the same host by a note
// in /run/renga/net. Which of them are taken only the kernel knows: a route to an address can be
// made once. Interfaces go with their namespace and are not deleted one by one, which would take 15
// to 30 ms each.
//
// Dynos may connect to any server of an add-on (address_pool.h), and have to know a password there.
// What takes part in such connections is given a shortcut past the firewall, when it starts.
//
// Belongs to one thread, which must be the program's only one (it visits sandboxes' namespaces).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "os/namespaces.h"
#include "sandbox/firewall.h"
#include "sandbox/shortcut.h"

namespace renga::sandbox {

class Network {
 public:
  Network(const std::string& server_name, std::string run_directory, Purpose purpose);

  // Claims the slice, loads the firewall and lets the host forward.
  void prepare();
  // An address that no sandbox has now; nobody keeps it free.
  std::string free_address();
  // Joins a new process's namespace to the host; its address, which is `wanted` when that is of
  // this server's slice. Waits up to 5 s for whoever has it to be gone.
  std::string join(const os::Cloned& process, const std::string& id, const std::string& wanted);
  // Gives a joined sandbox's link the shortcut.
  void shorten(const std::string& id);
  // resolv.conf as it is to be seen inside. Loads the firewall again when the host has got other
  // resolvers.
  std::string resolver_configuration();
  // Gives up the slice and takes away the firewall: of a server without sandboxes.
  void leave();
  // Where the search for a free slice begins: its number.
  static std::uint32_t wished_slice(std::string_view server_name);

 private:
  void claim_slice();
  bool try_slice(std::uint32_t number);
  bool route_to(std::uint32_t address, unsigned interface);
  std::string table() const;
  std::string link_of(const std::string& id) const;
  void load_firewall();

  std::string server_name_;
  std::string run_directory_;
  Purpose purpose_;
  std::string prefix_;       // of this server's interfaces
  std::uint32_t slice_ = 0;  // its first address
  std::uint32_t next_ = 0;   // offset of the address to be tried next
  std::vector<std::string> resolvers_;
  bool loaded_ = false;  // the firewall
  Shortcut shortcut_;
};

}  // namespace renga::sandbox
