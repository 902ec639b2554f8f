// The smallest app that logs, static: a line of about 100 bytes ten times a second.
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(void) {
  char padding[81], line[128];
  memset(padding, 'x', sizeof padding - 1);
  padding[sizeof padding - 1] = 0;
  for (long n = 1;; ++n) {
    const struct timespec tenth = {0, 100000000};
    const int size = snprintf(line, sizeof line, "line %ld %s\n", n, padding);
    if (write(1, line, (size_t)size) != size) return 1;
    nanosleep(&tenth, 0);
  }
}
