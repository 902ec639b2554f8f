// Shortcut: what a dyno and a service say to each other need not cross the host. A small program of
// the kernel's (BPF, at the host's end of a link) looks at what comes out of a sandbox and hands
// packets of connections between dynos and services straight to the inside of the other's link:
// without the firewall, routing and a second device, which are most of what such a packet costs.
//
// It lets nothing through that the firewall would not. What begins a connection, and everything
// that it does not know, goes the firewall's way; so does all where the kernel has no such program.
//
// Belongs to the spawner's thread. The program stays with the links that have it.
#pragma once

#include <string_view>

#include "os/fd.h"

namespace renga::sandbox {

class Shortcut {
 public:
  Shortcut();
  bool is_there() const { return static_cast<bool>(program_); }
  // For what comes out of this link from now on. Once a link.
  void give(unsigned interface);

 private:
  void do_without(int error, std::string_view attempted);

  os::Fd program_;
};

// Whether an address of a service is in it, as in the value of DATABASE_URL.
bool names_service(std::string_view text);

}  // namespace renga::sandbox
