// The least that a dyno can do: `origin PORT...` answers `GET /COUNT` with so many bytes, at each of
// these ports. What its clients are compared by is to be theirs, so it leaves the processor to them.
// Only for requests without a body that come in one piece each.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { most = 20000, at_once = 256, longest = 128 * 1024 };
static size_t unsent[most];  // of the body that a client is being sent
static char is_listener[most];
static char body[longest];

static void watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.fd = fd}};
  if (fd >= most || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) exit(1);
}

static void listen_at(int epoll, const char* port) {
  const int on = 1;
  const struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((unsigned short)atoi(port)),
                                      .sin_addr = {htonl(INADDR_LOOPBACK)}};
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (const struct sockaddr*)&address, sizeof address) != 0 || listen(fd, 4096) != 0) exit(1);
  watch(epoll, fd);
  is_listener[fd] = 1;
}

static void take_all(int epoll, int listener) {
  const int on = 1;
  for (int client; (client = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0;) {
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    unsent[client] = 0;
    watch(epoll, client);
  }
}

static void send_rest(int client) {
  const ssize_t sent = send(client, body, unsent[client], MSG_NOSIGNAL);
  if (sent > 0) unsent[client] -= (size_t)sent;
}

static void answer(int client) {
  char text[4096];
  const ssize_t got = recv(client, text, sizeof text - 1, 0);
  if (got < 0) return;
  text[got] = 0;
  const long size = strncmp(text, "GET /", 5) == 0 ? atol(text + 5) : 0;
  if (got == 0 || size <= 0 || size > longest) {
    close(client);
    return;
  }
  // As many fields as a server sends with a file.
  const int head = snprintf(text, sizeof text,
                            "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Sat, 28 Nov 2026 17:00:00 GMT\r\n"
                            "Content-Type: text/plain\r\nContent-Length: %ld\r\n"
                            "Last-Modified: Sat, 28 Nov 2026 17:00:00 GMT\r\nConnection: keep-alive\r\n"
                            "ETag: \"6749c3d0-c8\"\r\nAccept-Ranges: bytes\r\n\r\n",
                            size);
  struct iovec parts[] = {{text, (size_t)head}, {body, (size_t)size}};
  const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  const ssize_t sent = sendmsg(client, &message, MSG_NOSIGNAL);
  if (sent < head) {
    close(client);  // has gone, or takes not even a head
  } else {
    unsent[client] = (size_t)(head + size - sent);
  }
}

int main(int argc, char** argv) {
  if (argc < 2) return 64;
  memset(body, 'x', sizeof body);
  const int epoll = epoll_create1(0);
  for (int i = 1; i < argc; ++i) listen_at(epoll, argv[i]);
  for (;;) {
    struct epoll_event events[at_once];
    const int count = epoll_wait(epoll, events, at_once, -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (is_listener[fd]) {
        take_all(epoll, fd);
      } else if (unsent[fd] > 0) {
        send_rest(fd);
      } else {
        answer(fd);
      }
    }
  }
}
