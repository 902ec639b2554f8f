#include "os/netlink.h"

#include <linux/netlink.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/fault.h"

namespace renga::os {
namespace {

constexpr std::size_t aligned(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

std::string receive(const Fd& socket) {
  // The kernel answers before send() returns; the limit is for the unexpected.
  pollfd ready{socket.get(), POLLIN, 0};
  if (poll(&ready, 1, 5000) <= 0) fault(ETIMEDOUT, "wait for an answer over netlink");
  std::string answer(65536, '\0');
  const auto size = recv(socket.get(), answer.data(), answer.size(), 0);
  if (size < 0) fault("receive over netlink");
  answer.resize(static_cast<std::size_t>(size));
  return answer;
}

// Calls `take(header, whole message)` for each message in what was received.
template <class Take>
void each_message(const std::string& received, Take take) {
  std::size_t at = 0;
  while (at + sizeof(nlmsghdr) <= received.size()) {
    nlmsghdr header;
    std::memcpy(&header, received.data() + at, sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > received.size() - at) return;
    take(header, std::string_view(received).substr(at, header.nlmsg_len));
    at += aligned(header.nlmsg_len);
  }
}

int error_in(std::string_view message) {
  int error = 0;
  if (message.size() >= sizeof(nlmsghdr) + sizeof error)
    std::memcpy(&error, message.data() + sizeof(nlmsghdr), sizeof error);
  return -error;
}

}  // namespace

Netlink::Netlink() : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) {
  if (!socket_) fault("open a netlink socket");
}

void Netlink::append(const void* bytes, std::size_t size) {
  buffer_.append(static_cast<const char*>(bytes), size);
  buffer_.resize(aligned(buffer_.size()), '\0');
  const auto length = static_cast<std::uint32_t>(buffer_.size() - message_);
  std::memcpy(buffer_.data() + message_ + offsetof(nlmsghdr, nlmsg_len), &length, sizeof length);
}

void Netlink::begin(std::uint16_t type, std::uint16_t flags) {
  message_ = buffer_.size();
  nlmsghdr header = {};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  header.nlmsg_seq = ++count_;
  append(&header, sizeof header);
}

Netlink& Netlink::attribute(std::uint16_t type, const void* bytes, std::size_t size) {
  nlattr head = {};
  head.nla_len = static_cast<std::uint16_t>(sizeof head + size);
  head.nla_type = type;
  append(&head, sizeof head);
  append(bytes, size);
  return *this;
}
Netlink& Netlink::attribute(std::uint16_t type, std::string_view text) {
  const std::string with_zero(text);
  return attribute(type, with_zero.c_str(), with_zero.size() + 1);
}
Netlink& Netlink::attribute(std::uint16_t type, std::uint32_t number) {
  return attribute(type, &number, sizeof number);
}
Netlink& Netlink::attribute(std::uint16_t type, std::uint8_t number) {
  return attribute(type, &number, sizeof number);
}

Netlink& Netlink::open_nest(std::uint16_t type) {
  nests_.push_back(buffer_.size());
  nlattr head = {};
  head.nla_type = type | NLA_F_NESTED;
  append(&head, sizeof head);
  return *this;
}
Netlink& Netlink::close_nest() {
  const auto start = nests_.back();
  nests_.pop_back();
  const auto length = static_cast<std::uint16_t>(buffer_.size() - start);
  std::memcpy(buffer_.data() + start + offsetof(nlattr, nla_len), &length, sizeof length);
  return *this;
}

std::vector<int> Netlink::send() {
  std::vector<int> errors(count_, -1);
  const auto expected = std::exchange(count_, 0);
  each_message(buffer_, [&](nlmsghdr header, std::string_view message) {
    header.nlmsg_flags = static_cast<std::uint16_t>(header.nlmsg_flags | NLM_F_ACK);
    std::memcpy(const_cast<char*>(message.data()), &header, sizeof header);
  });
  const auto sent = ::send(socket_.get(), buffer_.data(), buffer_.size(), 0);
  buffer_.clear();
  if (sent < 0) fault("send over netlink");
  for (std::uint32_t answered = 0; answered < expected;) {
    each_message(receive(socket_), [&](const nlmsghdr& header, std::string_view message) {
      if (header.nlmsg_type != NLMSG_ERROR || header.nlmsg_seq == 0 || header.nlmsg_seq > expected)
        return;
      errors[header.nlmsg_seq - 1] = error_in(message);
      ++answered;
    });
  }
  return errors;
}

std::vector<std::string> Netlink::dump() {
  count_ = 0;
  const auto sent = ::send(socket_.get(), buffer_.data(), buffer_.size(), 0);
  buffer_.clear();
  if (sent < 0) fault("send over netlink");
  std::vector<std::string> messages;
  for (bool done = false; !done;) {
    each_message(receive(socket_), [&](const nlmsghdr& header, std::string_view message) {
      if (header.nlmsg_type == NLMSG_ERROR) fault(error_in(message), "list over netlink");
      if (header.nlmsg_type == NLMSG_DONE)
        done = true;
      else
        messages.emplace_back(message);
    });
  }
  return messages;
}

unsigned interface_index(const std::string& name) {
  const unsigned index = if_nametoindex(name.c_str());
  if (index == 0) fault("find the network interface " + name);
  return index;
}

}  // namespace renga::os
