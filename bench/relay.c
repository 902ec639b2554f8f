// The least that a proxy over sockets can do: `relay PORT DYNO_PORT...` moves what each client sends
// to a connection of its own to a dyno, and what comes back to the client, unread. What this costs is
// the kernel's; what a proxy costs beyond it is the proxy's. Only for messages of one piece, so
// every send takes all that it is given.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { most = 20000, at_once = 256 };
static int other[most];  // the socket that a socket's bytes go to
static char bytes[128 * 1024];

static struct sockaddr_in local(const char* port) {
  const struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((unsigned short)atoi(port)),
                                      .sin_addr = {htonl(INADDR_LOOPBACK)}};
  return address;
}

static void watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data = {.fd = fd}};
  if (fd >= most || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) exit(1);
}

static void pair(int epoll, int client, const char* dyno) {
  const int on = 1;
  const struct sockaddr_in address = local(dyno);
  const int upstream = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(upstream, (const struct sockaddr*)&address, sizeof address) != 0) exit(1);
  setsockopt(upstream, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(upstream, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  watch(epoll, upstream);
  watch(epoll, client);
  other[upstream] = client;
  other[client] = upstream;
}

static void move(int from) {
  const int to = other[from];
  if (to == 0) return;  // closed with the other one
  const ssize_t got = recv(from, bytes, sizeof bytes, MSG_DONTWAIT);
  if (got > 0) {
    if (send(to, bytes, (size_t)got, MSG_NOSIGNAL | MSG_DONTWAIT) == got) return;
  } else if (got < 0) {
    return;
  }
  other[from] = other[to] = 0;
  close(from);
  close(to);
}

int main(int argc, char** argv) {
  if (argc < 3) return 64;
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int epoll = epoll_create1(0);
  const int on = 1;
  const struct sockaddr_in address = local(argv[1]);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (const struct sockaddr*)&address, sizeof address) != 0 || listen(listener, 4096) != 0) return 1;
  watch(epoll, listener);
  for (unsigned next = 0;;) {
    struct epoll_event events[at_once];
    const int count = epoll_wait(epoll, events, at_once, -1);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd != listener) {
        move(events[i].data.fd);
        continue;
      }
      for (int client; (client = accept(listener, 0, 0)) >= 0;) {
        pair(epoll, client, argv[2 + next++ % (unsigned)(argc - 2)]);
      }
    }
  }
}
