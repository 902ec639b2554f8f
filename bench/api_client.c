// api_client: calls an HTTP/1.1 server over several connections at once, each kept and each with one
// call under way, and prints how many microseconds every call took, but the first of each. One thread on one epoll, so that
// the callers do not wait for one another's turn on a small machine: what is measured is the server.
//
//   api_client HOST PORT CONNECTIONS < CALLS
//
// CALLS has for each connection the number of its calls, and then each call: the number of its
// bytes, a space, and the bytes.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { most_connections = 64, answer_size = 1 << 20 };

struct call {
  char* bytes;
  size_t size;
};

struct connection {
  int fd;
  struct call* calls;
  size_t count;
  size_t at;
  int64_t sent_at;
  char* answer;
  size_t got;
};

static void refuse(const char* what) {
  fprintf(stderr, "api_client: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void send_next(struct connection* one) {
  const struct call* call = &one->calls[one->at];
  one->got = 0;
  one->sent_at = now();
  // Requests are far smaller than a socket's buffer, which is empty.
  if (send(one->fd, call->bytes, call->size, MSG_NOSIGNAL) != (ssize_t)call->size) refuse("send");
}

// Whether the whole answer is there; ends the program for one that is no success.
static int answered(struct connection* one) {
  one->answer[one->got] = 0;
  char* end = strstr(one->answer, "\r\n\r\n");
  if (end == NULL) return 0;
  const int status = atoi(one->answer + 9);
  if (status < 200 || status > 299) {
    fprintf(stderr, "api_client: %s\n", one->answer);
    exit(1);
  }
  const char* length = strcasestr(one->answer, "\r\ncontent-length:");
  if (length == NULL || length > end) {
    fprintf(stderr, "api_client: an answer without a length\n");
    exit(1);
  }
  return one->got >= (size_t)(end + 4 - one->answer) + strtoul(length + 17, NULL, 10);
}

static void read_calls(struct connection* one) {
  if (scanf("%zu", &one->count) != 1) refuse("read the number of calls");
  one->calls = calloc(one->count, sizeof *one->calls);
  for (size_t i = 0; i < one->count; ++i) {
    struct call* call = &one->calls[i];
    if (scanf("%zu", &call->size) != 1 || getchar() != ' ') refuse("read a call's length");
    call->bytes = malloc(call->size);
    if (fread(call->bytes, 1, call->size, stdin) != call->size) refuse("read a call");
  }
}

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "api_client HOST PORT CONNECTIONS < CALLS\n");
    return 2;
  }
  static struct connection all[most_connections];
  const int connections = atoi(argv[3]);
  if (connections < 1 || connections > most_connections) return 2;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
  if (inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) return 2;

  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < connections; ++i) {
    struct connection* one = &all[i];
    read_calls(one);
    one->answer = malloc(answer_size + 1);
    one->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(one->fd, (struct sockaddr*)&address, sizeof address) != 0) refuse("connect");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, one->fd, &event) != 0) refuse("epoll_ctl");
  }

  int busy = connections;
  for (int i = 0; i < connections; ++i) send_next(&all[i]);
  while (busy > 0) {
    struct epoll_event events[most_connections];
    const int ready = epoll_wait(epoll, events, most_connections, 60000);
    if (ready == 0) {
      errno = ETIMEDOUT;
      refuse("wait for an answer");
    }
    for (int i = 0; i < ready; ++i) {
      struct connection* one = events[i].data.ptr;
      const ssize_t got = recv(one->fd, one->answer + one->got, answer_size - one->got, 0);
      if (got <= 0) refuse("read an answer");
      one->got += (size_t)got;
      if (!answered(one)) continue;
      if (one->at > 0) printf("%.1f\n", (double)(now() - one->sent_at) / 1000);
      if (++one->at < one->count)
        send_next(one);
      else
        --busy;
    }
  }
  return 0;
}
