#include "sandbox/forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>

namespace renga::sandbox {
namespace {

// One direction. Holds what was read and not written yet; reads only while it holds nothing.
struct Way {
  Way(int source, int target) : from(source), to(target) {}
  int from, to;
  std::size_t filled = 0, sent = 0;
  bool ended = false;
  char bytes[65536];

  bool holds() const { return sent < filled; }

  // False at the end, or when nobody takes it any more.
  bool carry() {
    if (!holds()) {
      const auto got = read(from, bytes, sizeof bytes);
      if (got < 0) return errno == EINTR || errno == EAGAIN;
      if (got == 0) return false;
      filled = static_cast<std::size_t>(got);
      sent = 0;
      return true;
    }
    const auto put = write(to, bytes + sent, filled - sent);
    if (put < 0) return errno == EINTR || errno == EAGAIN;
    sent += static_cast<std::size_t>(put);
    return true;
  }
};

}  // namespace

void forward(int port) {
  signal(SIGPIPE, SIG_IGN);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in there = {};
  there.sin_family = AF_INET;
  there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  there.sin_port = htons(static_cast<unsigned short>(port));
  if (socket < 0 || connect(socket, reinterpret_cast<sockaddr*>(&there), sizeof there) != 0)
    _exit(1);
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

  // Neither way may wait for the other: the program behind the port may write before it reads.
  const int fds[] = {0, 1, socket};
  for (const int fd : fds) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);

  static Way in(0, socket), out(socket, 1);
  while (!out.ended) {
    pollfd waits[2] = {};
    Way* ways[2] = {&in, &out};
    for (int i = 0; i < 2; ++i)
      waits[i] = {ways[i]->ended     ? -1
                  : ways[i]->holds() ? ways[i]->to
                                     : ways[i]->from,
                  static_cast<short>(ways[i]->holds() ? POLLOUT : POLLIN), 0};
    if (poll(waits, 2, -1) < 0 && errno != EINTR) _exit(1);
    for (int i = 0; i < 2; ++i) {
      if (waits[i].fd < 0 || waits[i].revents == 0 || ways[i]->carry()) continue;
      ways[i]->ended = true;
      if (ways[i] == &in) shutdown(socket, SHUT_WR);
    }
  }
  _exit(0);
}

}  // namespace renga::sandbox
