// Preloaded into a built-in provider (`renga provider NAME`) by provider_crash.py: counts what
// it does that outlives it, gives each step a name, and kills it right before the one that it is
// told to die at. Steps are commits to its store, files that it makes, moves and removes, what it
// asks of its spawner, its database servers and the platform, and its answers.
//
// The test and the provider share one page of memory, so that nothing is to be restarted to begin
// anew. What else is started with this (the provider's own children) is left alone.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct board {
  atomic_uint die_at;  // of the steps whose names begin with `doomed`; 0: never
  atomic_uint count;   // of those
  atomic_uint length;
  char doomed[128];
  char steps[1 << 16];  // lines
};

static struct board* board;

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void step(const char* what, const char* of, size_t length) {
  if (board == NULL) return;
  char line[160];
  int size = snprintf(line, sizeof line, "%s %.*s", what, (int)(length > 90 ? 90 : length), of);
  if (size >= (int)sizeof line) size = sizeof line - 1;
  for (int i = 0; i < size; ++i)
    if (line[i] < ' ') line[i] = ' ';
  line[size] = 0;
  const int is_doomed = strncmp(line, board->doomed, strlen(board->doomed)) == 0;
  line[size++] = '\n';
  const unsigned at = atomic_fetch_add(&board->length, (unsigned)size);
  if (at + (unsigned)size < sizeof board->steps) memcpy(board->steps + at, line, (size_t)size);
  if (is_doomed && atomic_fetch_add(&board->count, 1) + 1 == atomic_load(&board->die_at)) {
    kill(getpid(), SIGKILL);
    pause();
  }
}

__attribute__((constructor)) static void begin(void) {
  const char* file = getenv("STEPS_BOARD");
  unsetenv("LD_PRELOAD");
  char line[4096] = {0};
  const int self = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  const ssize_t size = read(self, line, sizeof line - 1);
  close(self);
  const char* second = line + strlen(line) + 1;
  if (file == NULL || size <= 0 || second >= line + size || strcmp(second, "provider") != 0) return;
  const int shared = open(file, O_RDWR | O_CLOEXEC);
  void* memory = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, shared, 0);
  close(shared);
  if (memory != MAP_FAILED) board = memory;
}

// A commit: the first page that is written to the log after the last one was synced.
static atomic_int synced = 1;

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  if (board != NULL && atomic_load(&synced)) {
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    if (length > 4 && memcmp(path + length - 4, "-wal", 4) == 0 && atomic_exchange(&synced, 0))
      step("commit", "", 0);
  }
  return NEXT(pwrite64)(fd, bytes, size, at);
}
int fdatasync(int fd) {
  atomic_store(&synced, 1);
  return NEXT(fdatasync)(fd);
}

int mkdir(const char* path, mode_t mode) {
  step("mkdir", path, strlen(path));
  return NEXT(mkdir)(path, mode);
}
int rename(const char* from, const char* to) {
  step("rename", to, strlen(to));
  return NEXT(rename)(from, to);
}
int unlinkat(int directory, const char* name, int flags) {
  step("remove", name, strlen(name));
  return NEXT(unlinkat)(directory, name, flags);
}

// To the spawner: a length, and records, of which the first is the verb.
ssize_t sendmsg(int fd, const struct msghdr* message, int flags) {
  if (board != NULL && message->msg_iovlen == 1) {
    const char* bytes = message->msg_iov[0].iov_base;
    const size_t size = message->msg_iov[0].iov_len < 24 ? message->msg_iov[0].iov_len : 24;
    static const char* const verbs[] = {"start", "remove", "kill", "signal"};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; ++i)
      if (memmem(bytes, size, verbs[i], strlen(verbs[i])) != NULL)
        step("spawner:", verbs[i], strlen(verbs[i]));
  }
  return NEXT(sendmsg)(fd, message, flags);
}

ssize_t send(int fd, const void* bytes, size_t size, int flags) {
  static const char* const heads[] = {"HTTP/1.1 ", "POST /", "PATCH /"};
  for (size_t i = 0; board != NULL && i < sizeof heads / sizeof *heads; ++i)
    if (size > strlen(heads[i]) && memcmp(bytes, heads[i], strlen(heads[i])) == 0)
      step("say", bytes, strcspn(bytes, "\r\n") < size ? strcspn(bytes, "\r\n") : size);
  return NEXT(send)(fd, bytes, size, flags);
}

// PostgreSQL, Redis, Kafka: as their libraries have them, whose headers are not needed.
void* PQexecParams(void* connection, const char* sql, int count, const void* types,
                   const void* values, const void* lengths, const void* formats, int format) {
  step("postgresql:", sql, strlen(sql));
  return NEXT(PQexecParams)(connection, sql, count, types, values, lengths, formats, format);
}

void* redisCommandArgv(void* context, int count, const char** words, const size_t* lengths) {
  char line[96];
  const int size = snprintf(line, sizeof line, "%s %s", words[0], count > 1 ? words[1] : "");
  step("redis:", line, (size_t)(size < (int)sizeof line ? size : (int)sizeof line - 1));
  return NEXT(redisCommandArgv)(context, count, words, lengths);
}

void* rd_kafka_AdminOptions_new(void* client, int operation) {
  char line[16];
  step("kafka: operation", line, (size_t)snprintf(line, sizeof line, "%d", operation));
  return NEXT(rd_kafka_AdminOptions_new)(client, operation);
}
