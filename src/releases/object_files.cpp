#include "releases/object_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>

#include "base/text.h"
#include "crypto/digest.h"
#include "os/file.h"

namespace renga::releases {

std::string object_name(const std::string& sha, std::string_view name, const struct stat& status) {
  auto object = fmt::format("{}-{:o}", sha, status.st_mode & 0777);
  if (is_checked_by_time(name)) object += fmt::format("-{}", status.st_mtim.tv_sec);
  return object;
}

mode_t mode_in(std::string_view name) {
  const auto parts = text::split(name, '-');
  mode_t mode = 0644;
  if (parts.size() > 1)
    std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), mode, 8);
  return mode & 0777;
}

std::optional<std::int64_t> time_in(std::string_view name) {
  const auto parts = text::split(name, '-');
  return parts.size() > 2 ? text::number(parts[2]) : std::nullopt;
}

os::Fd open_file(int directory, const std::string& name) {
  return os::Fd(openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
}

os::Fd open_directory(int directory, const std::string& name) {
  return os::Fd(openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

os::Fd new_file(int directory, const std::string& name) {
  os::Fd file(openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) fault("make " + name);
  return file;
}

std::string digest_of(int file, const std::string& name) {
  crypto::Sha256 digest;
  read_whole(file, name, [&](std::string_view bytes) { digest.update(bytes); });
  return digest.finish();
}

void copy_file(int from, int directory, const std::string& name, mode_t mode, int owner,
               const timespec& time) {
  const auto to = new_file(directory, name);
  read_whole(from, name, [&](std::string_view bytes) { os::write_all(to.get(), bytes, name); });
  const auto id = static_cast<unsigned>(owner);
  const timespec times[2] = {{0, UTIME_OMIT}, time};
  if ((owner >= 0 && fchown(to.get(), id, id) != 0) || fchmod(to.get(), mode) != 0 ||
      futimens(to.get(), times) != 0)
    fault("make " + name);
}

void give(int directory, const std::string& name, int owner) {
  const auto id = static_cast<unsigned>(owner);
  if (owner >= 0 && fchownat(directory, name.c_str(), id, id, AT_SYMLINK_NOFOLLOW) != 0)
    fault("chown " + name);
}

struct stat repaired(int file, const std::string& object, int owner) {
  struct stat status {};
  if (fstat(file, &status) != 0) fault("read " + object);
  const auto id = static_cast<unsigned>(owner);
  if (owner >= 0 && status.st_uid != id && fchown(file, id, id) != 0) fault("chown " + object);
  if ((status.st_mode & 07777) != mode_in(object) && fchmod(file, mode_in(object)) != 0)
    fault("chmod " + object);
  const auto time = time_in(object);
  if (time && status.st_mtim.tv_sec != *time) {
    status.st_mtim = {*time, 0};
    const timespec times[2] = {{0, UTIME_OMIT}, status.st_mtim};
    if (futimens(file, times) != 0) fault("set the time of " + object);
  }
  return status;
}

bool is_amiss(const struct stat& status, const std::string& object, int owner) {
  const auto time = time_in(object);
  return (owner >= 0 && status.st_uid != static_cast<unsigned>(owner)) ||
         (status.st_mode & 07777) != mode_in(object) || (time && status.st_mtim.tv_sec != *time);
}

}  // namespace renga::releases
