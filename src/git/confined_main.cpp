// `renga git-serve REPOSITORY HOOKS PROGRAM`: becomes `git http-backend`, which reads what
// strangers push, with this one repository in its reach, and, for its hook, where hooks lie and
// renga itself.
#include <cstdio>

#include "builds/confined_git.h"
#include "git/repositories.h"

namespace renga::git {

int confined_main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("renga git-serve is started by the server\n", stderr);
    return 2;
  }
  return builds::become_confined_git({.read = {argv[3], argv[4]}, .write = {argv[2]}},
                                     {"http-backend"});
}

}  // namespace renga::git
