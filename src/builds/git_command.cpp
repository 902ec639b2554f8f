#include "builds/git_command.h"

#include <cstdlib>

namespace renga::builds {

os::Command git_command(const std::filesystem::path& home, std::vector<std::string> words) {
  words.insert(words.begin(), "git");
  const char* path = std::getenv("PATH");
  return {.argv = std::move(words),
          .env = {{"PATH", path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin"},
                  {"HOME", home.string()},
                  {"LC_ALL", "C.UTF-8"},
                  {"GIT_CONFIG_NOSYSTEM", "1"},
                  {"GIT_CONFIG_GLOBAL", "/dev/null"},
                  {"GIT_TERMINAL_PROMPT", "0"}},
          .clear_env = true};
}

}  // namespace renga::builds
