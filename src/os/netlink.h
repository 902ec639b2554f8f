// rtnetlink: requests that make and set up network interfaces, several in one system call.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "os/fd.h"

namespace renga::os {

// One batch of requests, written and then sent. Belongs to one thread; its socket belongs to the
// network namespace that the thread is in when the batch is made.
class Netlink {
 public:
  Netlink();

  // Begins a request; `header` is the family's struct (ifinfomsg, ifaddrmsg, rtmsg).
  template <class Header>
  Netlink& request(std::uint16_t type, std::uint16_t flags, const Header& header) {
    begin(type, flags);
    append(&header, sizeof header);
    return *this;
  }
  Netlink& attribute(std::uint16_t type, const void* bytes, std::size_t size);
  Netlink& attribute(std::uint16_t type, std::string_view text);  // with its closing zero
  Netlink& attribute(std::uint16_t type, std::uint32_t number);
  Netlink& attribute(std::uint16_t type, std::uint8_t number);
  // Attributes (and, for some, a header) inside an attribute.
  Netlink& open_nest(std::uint16_t type);
  template <class Header>
  Netlink& nested_header(const Header& header) {
    append(&header, sizeof header);
    return *this;
  }
  Netlink& close_nest();

  // Sends all and waits for every acknowledgement. The error number of each, 0 for success, in
  // order.
  std::vector<int> send();
  // Sends a dump request; every message's bytes, header first.
  std::vector<std::string> dump();

 private:
  void begin(std::uint16_t type, std::uint16_t flags);
  void append(const void* bytes, std::size_t size);

  Fd socket_;
  std::string buffer_;
  std::size_t message_ = 0;         // where the message begun last starts
  std::vector<std::size_t> nests_;  // where open attributes start
  std::uint32_t count_ = 0;
};

// The interface's index in this thread's network namespace; throws when there is none.
unsigned interface_index(const std::string& name);

}  // namespace renga::os
