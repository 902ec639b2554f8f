// `renga stacks:install`: becomes the script that makes a stack (stacks/install), which holds the
// lock for as long as anything of it runs.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <vector>

#include "base/fault.h"
#include "releases/archive.h"
#include "server/data_directory.h"
#include "server/embedded.h"
#include "server/options.h"
#include "server/server.h"

namespace renga::server {
namespace {

namespace fs = std::filesystem;

struct Words {
  std::string stack;
  std::string mirror, security_mirror;
  fs::path data = default_data_directory();
};

std::optional<Words> parse(int argc, char** argv) {
  Words words;
  std::string data = words.data.string();
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    bool known = false;
    for (auto [name, value] : {std::pair{"--data", &data},
                               {"--mirror", &words.mirror},
                               {"--security-mirror", &words.security_mirror}}) {
      if (word.starts_with(std::string(name) + "="))
        *value = word.substr(word.find('=') + 1);
      else if (word == name && i + 1 < argc)
        *value = argv[++i];
      else
        continue;
      known = true;
      break;
    }
    if (known) continue;
    // A stack's name is a directory's.
    if (!words.stack.empty() || word.empty() || word.front() == '-' || word.front() == '.' ||
        word.find('/') != word.npos)
      return std::nullopt;
    words.stack = word;
  }
  words.data = fs::absolute(data).lexically_normal();
  if (words.stack.empty() || data.empty()) return std::nullopt;
  return words;
}

// The recipes, unpacked anew: an installation that is under way holds the lock.
fs::path unpack_recipes(const fs::path& directory) {
  const auto recipes = directory / ".recipes";
  const auto archive = directory / ".recipes.tar";
  fs::remove_all(recipes);
  fs::create_directories(recipes);
  write_file(archive, embedded_stacks(), 0600);
  const auto unpacked = releases::unpack(archive, recipes);
  if (!unpacked) throw std::runtime_error("embedded stacks: " + unpacked.error().message);
  fs::remove(archive);
  return recipes;
}

int install(const Words& words) {
  const auto directory = words.data / "stacks";
  fs::create_directories(directory);
  // Kept open by the script and all that it starts.
  const int lock = ::open((directory / ".lock").c_str(), O_RDWR | O_CREAT, 0600);
  if (lock < 0) fault("open " + (directory / ".lock").string());
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    fmt::print("renga: waiting for another installation of a stack to end\n");
    std::fflush(stdout);
    while (::flock(lock, LOCK_EX) != 0)
      if (errno != EINTR) fault("lock " + directory.string());
  }
  const auto script = (unpack_recipes(directory) / "install").string();
  ::execlp("bash", "bash", script.c_str(), words.stack.c_str(), directory.c_str(),
           words.mirror.c_str(), words.security_mirror.c_str(), nullptr);
  fault("run " + script);
}

}  // namespace

int stacks_install_main(int argc, char** argv) {
  const auto words = parse(argc, argv);
  if (!words) {
    fmt::print(stderr,
               "renga: `renga stacks:install NAME [--data DIR] [--mirror URL] "
               "[--security-mirror URL]`.\n");
    return 2;
  }
  if (::geteuid() != 0) {
    fmt::print(stderr,
               "renga: a stack is made with mounts and other users' files: run it as root.\n");
    return 1;
  }
  try {
    return install(*words);
  } catch (const std::exception& error) {
    fmt::print(stderr, "renga: stacks:install failed: {}\n", error.what());
    return 1;
  }
}

}  // namespace renga::server
