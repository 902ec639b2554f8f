// `renga confined-git [read=PATH | write=PATH]... -- WORD...` becomes `git WORD...` with as little
// in its reach as it can work with: the paths that it is given, and the system's programs.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "base/text.h"
#include "builds/git_command.h"

namespace renga::builds {
namespace {

constexpr std::string_view read_word = "read=", write_word = "write=", end_word = "--";

os::Reach system_programs() {
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
                "/proc"};
  reach.write = {"/dev/null"};
  const char* path = std::getenv("PATH");
  for (const auto place : text::split(path != nullptr ? path : "", ':'))
    if (place.starts_with('/')) reach.read.emplace_back(place);
  return reach;
}

}  // namespace

os::Command confined_git(const std::filesystem::path& home, const os::Reach& reach,
                         const std::vector<std::string>& words) {
  auto command = git_command(home, {});
  // This program as it runs, whatever lies at its path by now.
  command.argv = {"/proc/self/exe", "confined-git"};
  for (const auto& path : reach.read)
    command.argv.push_back(std::string(read_word) + path.string());
  for (const auto& path : reach.write)
    command.argv.push_back(std::string(write_word) + path.string());
  command.argv.emplace_back(end_word);
  command.argv.insert(command.argv.end(), words.begin(), words.end());
  return command;
}

int confined_git_main(int argc, char** argv) {
  auto reach = system_programs();
  int at = 2;
  for (; at < argc && argv[at] != end_word; ++at) {
    const std::string_view word = argv[at];
    if (word.starts_with(read_word))
      reach.read.emplace_back(word.substr(read_word.size()));
    else if (word.starts_with(write_word))
      reach.write.emplace_back(word.substr(write_word.size()));
    else
      break;
  }
  if (at >= argc || argv[at] != end_word) {
    std::fputs("renga confined-git is started by the server\n", stderr);
    return 2;
  }
  // A program's own main(): whatever fails here fails what git is needed for.
  try {
    // A server that is not root has nothing to give up, and may not make namespaces.
    if (::geteuid() == 0) os::go_alone();
    os::confine_files(reach);
    argv[at] = const_cast<char*>("git");
    ::execvp("git", argv + at);
    std::perror("git");
  } catch (const std::exception& fault) {
    std::fputs(fmt::format("git was not started: {}\n", fault.what()).c_str(), stderr);
  }
  return 126;
}

}  // namespace renga::builds
