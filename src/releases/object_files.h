// How objects lie on the disk: their names, and files by descriptor. Private to this room.
#pragma once

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/fault.h"
#include "base/random.h"
#include "os/fd.h"

namespace renga::releases {

inline constexpr std::size_t digits = 64;  // of a SHA-256
inline constexpr std::string_view tree_suffix = "-tree";

// What is being made, in DIR/slugs and among the objects, until it is moved to its own name.
inline constexpr std::string_view unfinished_prefix = ".new-";
inline std::string unfinished_name() { return std::string(unfinished_prefix) + random_hex(12); }

// Where what a tree was lies after it was kept. Whoever had it kept takes that away: it takes long.
inline std::filesystem::path leftovers_of(const std::filesystem::path& tree) {
  auto path = tree;
  return path += ".left";
}

// A file's link count is seen by whoever runs from it, and tells whether another app has the very
// same file. That must not answer guesses at what is in somebody's settings, which are small. It
// also keeps the empty files that every package has below a file system's limit of names.
inline bool is_small(std::int64_t size) { return size <= 1024; }

// Python and Ruby keep compiled code beside a source, and take it by the source's time.
inline bool is_checked_by_time(std::string_view name) {
  return name.ends_with(".py") || name.ends_with(".rb");
}

std::string object_name(const std::string& sha, std::string_view name, const struct stat& status);
// The mode in an object's or a directory's name, and the time, where it has one.
mode_t mode_in(std::string_view name);
std::optional<std::int64_t> time_in(std::string_view name);

os::Fd open_file(int directory, const std::string& name);
os::Fd open_directory(int directory, const std::string& name);
os::Fd new_file(int directory, const std::string& name);

// From its beginning, whatever was read of it before, piece by piece.
template <class Use>
void read_whole(int file, const std::string& name, const Use& use) {
  std::array<char, 128 << 10> buffer;
  for (off_t at = 0;;) {
    const auto size = pread(file, buffer.data(), buffer.size(), at);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fault("read " + name);
    if (size == 0) return;
    use(std::string_view(buffer.data(), static_cast<std::size_t>(size)));
    at += size;
  }
}

std::string digest_of(int file, const std::string& name);
// Whether both are one file, by whatever names.
inline bool is_same(const struct stat& one, const struct stat& other) {
  return one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}
// A new file with the bytes of another, and nothing else of it. `owner` -1: the caller's.
void copy_file(int from, int directory, const std::string& name, mode_t mode, int owner,
               const timespec& time);
// Gives a new directory or link to `owner`.
void give(int directory, const std::string& name, int owner);

// An object's mode and time are in its name, and all have one owner: a backup keeps nothing else,
// and a restore leaves them root's own. Returns what the object is afterwards.
struct stat repaired(int file, const std::string& object, int owner);
// Whether repaired() has something to do.
bool is_amiss(const struct stat& status, const std::string& object, int owner);

}  // namespace renga::releases
