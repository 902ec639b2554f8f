#include "sandbox/channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "base/fault.h"
#include "sandbox/spec_message.h"

namespace renga::sandbox {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t most_descriptors = 4;

void wait_for(const os::Fd& socket, short events, std::optional<Steady::time_point> deadline) {
  while (true) {
    int limit = -1;
    if (deadline) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(*deadline - Steady::now()).count();
      limit = static_cast<int>(std::clamp<long long>(left, 0, INT_MAX));
    }
    pollfd ready{socket.get(), events, 0};
    const int count = poll(&ready, 1, limit);
    if (count > 0) return;
    if (count == 0) fault(ETIMEDOUT, "wait for the spawner's socket");
    if (errno != EINTR) fault("wait for the spawner's socket");
  }
}

}  // namespace

void Channel::send(std::string_view message, const std::vector<int>& descriptors) {
  if (message.size() > longest_message) fault(EMSGSIZE, "send a message to the spawner");
  const auto length = static_cast<std::uint32_t>(message.size());
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  bytes.append(message);

  const auto deadline = Steady::now() + std::chrono::seconds(30);
  std::string_view left = bytes;
  bool first = true;
  while (!left.empty()) {
    iovec part{const_cast<char*>(left.data()), left.size()};
    msghdr header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * most_descriptors)] = {};
    if (first && !descriptors.empty()) {
      const auto size = sizeof(int) * std::min(descriptors.size(), most_descriptors);
      header.msg_control = control;
      header.msg_controllen = CMSG_SPACE(size);
      cmsghdr* rights = CMSG_FIRSTHDR(&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(size);
      std::memcpy(CMSG_DATA(rights), descriptors.data(), size);
    }
    const auto sent = sendmsg(socket_.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) {
      wait_for(socket_, POLLOUT, deadline);
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) fault("send over the spawner's socket");
    first = false;
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::optional<Channel::Message> Channel::receive(std::optional<std::chrono::milliseconds> limit) {
  std::optional<Steady::time_point> deadline;
  if (limit) deadline = Steady::now() + *limit;

  Message message;
  std::string received;
  std::size_t wanted = sizeof(std::uint32_t);
  bool length_known = false;
  while (received.size() < wanted) {
    wait_for(socket_, POLLIN, deadline);
    char buffer[65536];
    iovec part{buffer, std::min(sizeof buffer, wanted - received.size())};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * most_descriptors)];
    msghdr header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    const auto count = recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != ECONNRESET) fault("receive over the spawner's socket");
    for (cmsghdr* rights = CMSG_FIRSTHDR(&header); count >= 0 && rights != nullptr;
         rights = CMSG_NXTHDR(&header, rights)) {
      if (rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS) continue;
      for (std::size_t at = 0; at + sizeof(int) <= rights->cmsg_len - CMSG_LEN(0);
           at += sizeof(int)) {
        int fd;
        std::memcpy(&fd, CMSG_DATA(rights) + at, sizeof fd);
        message.descriptors.emplace_back(fd);
      }
    }
    if (count <= 0) {
      if (received.empty()) return std::nullopt;
      fault(EPIPE, "receive over the spawner's socket");
    }
    received.append(buffer, static_cast<std::size_t>(count));
    if (!length_known && received.size() == wanted) {
      std::uint32_t length;
      std::memcpy(&length, received.data(), sizeof length);
      if (length > longest_message) fault(EMSGSIZE, "receive over the spawner's socket");
      wanted += length;
      length_known = true;
      // The limit is for a message that has begun, too: none takes long.
      if (!deadline) deadline = Steady::now() + std::chrono::seconds(30);
    }
  }
  message.bytes = received.substr(sizeof(std::uint32_t));
  return message;
}

}  // namespace renga::sandbox
