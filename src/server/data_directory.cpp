#include "server/data_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "base/fault.h"
#include "base/text.h"
#include "crypto/digest.h"

namespace renga::server {
namespace fs = std::filesystem;

namespace {

void make(const fs::path& path, mode_t mode) {
  fs::create_directories(path.parent_path());
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) fault("mkdir " + path.string());
  if (::chmod(path.c_str(), mode) != 0) fault("chmod " + path.string());
}

}  // namespace

Result<DataDirectory> DataDirectory::open(const fs::path& root) {
  make(root, 0711);
  make(root / "run", 0711);
  for (const auto* name : {"logs", "output", "slugs", "builds", "repositories", "router", "bin"})
    make(root / name, 0700);

  const auto path = root / "run/server.lock";
  os::Fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) fault("open " + path.string());
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(Kind::conflict,
                fmt::format("Another server (process {}) uses {}. Stop it with `renga server:stop "
                            "--data {}`, or choose another --data.",
                            holder(root), root.string(), root.string()));
  if (::ftruncate(lock.get(), 0) != 0) fault("ftruncate " + path.string());
  const auto pid = std::to_string(::getpid()) + "\n";
  if (::write(lock.get(), pid.data(), pid.size()) < 0) fault("write " + path.string());
  return DataDirectory(fs::canonical(root), std::move(lock));
}

int DataDirectory::holder(const fs::path& root) {
  const auto path = root / "run/server.lock";
  os::Fd lock(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!lock || ::flock(lock.get(), LOCK_SH | LOCK_NB) == 0) return 0;
  return static_cast<int>(text::number(text::trim(read_file(path))).value_or(0));
}

std::string DataDirectory::server_name() const {
  return crypto::sha256(root_.string()).substr(0, 8);
}

void write_file(const fs::path& path, std::string_view content, unsigned mode) {
  const fs::path beside = path.string() + ".new";
  os::Fd file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!file) fault("open " + beside.string());
  if (::fchmod(file.get(), mode) != 0) fault("chmod " + beside.string());
  for (auto rest = content; !rest.empty();) {
    const auto written = ::write(file.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fault("write " + beside.string());
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file.get()) != 0) fault("fsync " + beside.string());
  file.close();
  if (::rename(beside.c_str(), path.c_str()) != 0) fault("rename " + path.string());
  const os::Fd directory(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory) ::fsync(directory.get());
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

}  // namespace renga::server
