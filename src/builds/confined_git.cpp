#include "builds/confined_git.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "base/text.h"
#include "builds/git_command.h"

namespace renga::builds {
namespace {

constexpr const char* reads = "git-read";
constexpr const char* writes = "git-write";

os::Command confined(const char* part, const std::filesystem::path& repository,
                     std::vector<std::string> words) {
  // This program as it runs, whatever lies at its path by now.
  words.insert(words.begin(), {"/proc/self/exe", part, repository.string()});
  auto command = git_command(repository, {});
  command.argv = std::move(words);
  command.directory = repository;
  return command;
}

}  // namespace

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

bool is_confined_git(std::string_view part) { return part == reads || part == writes; }

int confined_git_main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("renga git-read and git-write are started by the server\n", stderr);
    return 2;
  }
  os::Reach reach;
  (argv[1] == std::string_view(writes) ? reach.write : reach.read).emplace_back(argv[2]);
  return become_confined_git(reach, {argv + 3, argv + argc});
}

os::Command git_read_command(const std::filesystem::path& repository,
                             std::vector<std::string> words) {
  return confined(reads, repository, std::move(words));
}

os::Command git_write_command(const std::filesystem::path& repository,
                              std::vector<std::string> words) {
  return confined(writes, repository, std::move(words));
}

}  // namespace renga::builds
