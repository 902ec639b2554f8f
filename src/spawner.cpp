// renga-spawner: the spawner as a program of its own. All that waits to be a sandbox, or a
// command in one, is a fork of it, and what a fork costs, and its end at an exec, grows with what
// the program has mapped: `renga` has some fifty libraries.
#include "sandbox/spawner.h"

#include <signal.h>

int main(int argc, char** argv) {
  // The server blocks signals before it starts this.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  return renga::sandbox::spawner_main(argc, argv);
}
