#include "setups/app_json_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "os/file.h"

namespace renga::setups {

std::string app_json_in(const std::filesystem::path& directory) {
  constexpr std::size_t most = 64 * 1024;
  const os::Fd file(
      ::open((directory / "app.json").c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat about {};
  if (!file || ::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) return {};
  return os::read_all(file.get(), most + 1);
}

}  // namespace renga::setups
