// `renga git-serve DIRECTORY REPOSITORY INCOMING PROGRAM`: becomes `git http-backend`, which reads
// what strangers push, with as little in its reach as it can work with: this one repository, where
// hooks lie and leave sources, the system's programs, and renga itself for the hook.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "base/text.h"
#include "git/repositories.h"
#include "os/confine.h"

namespace renga::git {

int confined_main(int argc, char** argv) {
  if (argc != 6) {
    std::fputs("renga git-serve is started by the server\n", stderr);
    return 2;
  }
  // A program's own main(): whatever fails here fails the request.
  try {
    // A server that is not root has nothing to give up, and may not make namespaces.
    if (::geteuid() == 0) os::go_alone();
    const std::filesystem::path directory = argv[2];
    os::Reach reach;
    reach.read = {"/usr",
                  "/bin",
                  "/sbin",
                  "/lib",
                  "/lib64",
                  "/etc/ld.so.cache",
                  "/etc/nsswitch.conf",
                  "/etc/passwd",
                  "/dev/urandom",
                  "/proc",
                  directory / "hooks",
                  argv[5]};
    const char* path = ::getenv("PATH");
    for (const auto place : text::split(path != nullptr ? path : "", ':'))
      if (place.starts_with('/')) reach.read.emplace_back(place);
    reach.write = {argv[3], argv[4], "/dev/null"};
    os::confine_files(reach);
    ::execlp("git", "git", "http-backend", nullptr);
    std::perror("git");
  } catch (const std::exception& fault) {
    std::fputs(fmt::format("git was not started: {}\n", fault.what()).c_str(), stderr);
  }
  return 126;
}

}  // namespace renga::git
