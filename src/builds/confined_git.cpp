#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "base/text.h"
#include "builds/git_command.h"

namespace renga::builds {

int become_confined_git(os::Reach reach, std::vector<std::string> words) {
  // A program's own main(): whatever fails here fails what git is needed for.
  try {
    // A server that is not root has nothing to give up, and may not make namespaces.
    if (::geteuid() == 0) os::go_alone();
    for (const auto* path : {"/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc/ld.so.cache",
                             "/etc/nsswitch.conf", "/etc/passwd", "/dev/urandom", "/proc"})
      reach.read.emplace_back(path);
    const char* path = ::getenv("PATH");
    for (const auto place : text::split(path != nullptr ? path : "", ':'))
      if (place.starts_with('/')) reach.read.emplace_back(place);
    reach.write.emplace_back("/dev/null");
    os::confine_files(reach);
    std::string git = "git";
    std::vector<char*> argv = {git.data()};
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execvp(git.c_str(), argv.data());
    std::perror("git");
  } catch (const std::exception& fault) {
    std::fputs(fmt::format("git was not started: {}\n", fault.what()).c_str(), stderr);
  }
  return 126;
}

int git_read_main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("renga git-read is started by the server\n", stderr);
    return 2;
  }
  return become_confined_git({.read = {argv[2]}, .write = {}}, {argv + 3, argv + argc});
}

os::Command git_read_command(const std::filesystem::path& repository,
                             const std::vector<std::string>& words) {
  auto command = git_command(repository, {});
  // This program as it runs, whatever lies at its path by now.
  command.argv = {"/proc/self/exe", "git-read", repository.string()};
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  command.directory = repository;
  return command;
}

}  // namespace renga::builds
