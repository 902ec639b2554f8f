// Packing a directory: one pass, every file read once, the checksum taken of what is written.
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <stdexcept>

#include "base/fault.h"
#include "crypto/digest.h"
#include "os/fd.h"
#include "releases/archive.h"
#include "releases/archive_names.h"
#include "releases/tree.h"

namespace renga::releases {
namespace {

namespace fs = std::filesystem;

// Level 1 packs a Python installation in three fifths of the time of level 3 and makes it a seventh
// larger; the time is a part of every deploy.
constexpr const char* level = "1";

struct FreeWriter {
  void operator()(archive* writer) const { archive_write_free(writer); }
};
struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using Entry = std::unique_ptr<archive_entry, FreeEntry>;

class Packer {
 public:
  Packer(const fs::path& path, Compression compression)
      : path_(path), file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
    if (!file_) fault("make " + path.string());
    writer_.reset(archive_write_new());
    if (!writer_) throw std::bad_alloc();
    // GNU's format keeps names as the bytes they are, of any length, and has no per-file extras.
    check(archive_write_set_format_gnutar(writer_.get()));
    const bool zstd = compression == Compression::zstd;
    check(zstd ? archive_write_add_filter_zstd(writer_.get())
               : archive_write_add_filter_gzip(writer_.get()));
    check(archive_write_set_filter_option(writer_.get(), zstd ? "zstd" : "gzip",
                                          "compression-level", level));
    if (!zstd) check(archive_write_set_filter_option(writer_.get(), "gzip", "timestamp", nullptr));
    check(archive_write_set_bytes_per_block(writer_.get(), 256 << 10));
    check(archive_write_set_bytes_in_last_block(writer_.get(), 1));
    check(archive_write_open(writer_.get(), this, nullptr, take, nullptr));
  }

  void add_directory(int directory, const std::string& name, std::size_t depth) {
    if (depth > deepest) throw std::runtime_error("pack " + name + ": too many directories deep");
    struct stat status {};
    if (fstat(directory, &status) != 0) fault("read " + name);
    begin(name + "/", status, AE_IFDIR);
    for (const auto& each : names_in(directory)) add(directory, each, name + "/" + each, depth);
  }

  std::string finish() {
    check(archive_write_close(writer_.get()));
    if (fsync(file_.get()) != 0) fault("sync " + path_.string());
    sync_directory(path_.parent_path());
    return digest_.finish();
  }

 private:
  void add(int directory, const std::string& name, const std::string& path, std::size_t depth) {
    struct stat status {};
    if (fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) fault("read " + path);
    if (S_ISDIR(status.st_mode)) {
      const os::Fd below(
          openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!below) fault("open " + path);
      add_directory(below.get(), path, depth + 1);
    } else if (S_ISLNK(status.st_mode)) {
      add_link(path, status, read_link(directory, name), depth);
    } else if (S_ISREG(status.st_mode)) {
      add_file(directory, name, path);
    }
  }

  void add_link(const std::string& path, const struct stat& status, std::string link,
                std::size_t depth) {
    if (leads_out(depth, link)) link = "/" + path.substr(0, path.rfind('/') + 1) + link;
    auto entry = describe(path, status, AE_IFLNK);
    archive_entry_set_symlink(entry.get(), link.c_str());
    archive_entry_set_perm(entry.get(), 0777);
    check(archive_write_header(writer_.get(), entry.get()));
  }

  void add_file(int directory, const std::string& name, const std::string& path) {
    const os::Fd file(
        openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file) fault("open " + path);
    struct stat status {};
    if (fstat(file.get(), &status) != 0) fault("read " + path);
    if (!S_ISREG(status.st_mode)) return;
    if (status.st_nlink > 1) {
      const auto [first, added] = links_.try_emplace({status.st_dev, status.st_ino}, path);
      if (!added) {
        auto entry = describe(path, status, AE_IFREG);
        archive_entry_set_hardlink(entry.get(), first->second.c_str());
        check(archive_write_header(writer_.get(), entry.get()));
        return;
      }
    }
    begin(path, status, AE_IFREG);
    // A file that grows meanwhile is cut where it ended, one that shrinks is filled by libarchive.
    for (std::int64_t left = status.st_size; left > 0;) {
      const auto size = read(file.get(), buffer_.data(),
                             std::min<std::size_t>(buffer_.size(), static_cast<std::size_t>(left)));
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) fault("read " + path);
      if (size == 0) break;
      if (archive_write_data(writer_.get(), buffer_.data(), static_cast<std::size_t>(size)) < 0)
        check(ARCHIVE_FATAL);
      left -= size;
    }
    check(archive_write_finish_entry(writer_.get()));
  }

  void begin(const std::string& path, const struct stat& status, unsigned type) {
    const auto entry = describe(path, status, type);
    if (type == AE_IFREG) archive_entry_set_size(entry.get(), status.st_size);
    check(archive_write_header(writer_.get(), entry.get()));
  }

  static Entry describe(const std::string& path, const struct stat& status, unsigned type) {
    Entry entry(archive_entry_new());
    if (!entry) throw std::bad_alloc();
    archive_entry_set_pathname(entry.get(), path.c_str());
    archive_entry_set_filetype(entry.get(), type);
    archive_entry_set_perm(entry.get(), status.st_mode & 0777);
    // A directory's time changes with what a build creates and deletes in it, and means nothing.
    archive_entry_set_mtime(entry.get(), type == AE_IFDIR ? 0 : status.st_mtim.tv_sec, 0);
    archive_entry_set_size(entry.get(), 0);
    return entry;
  }

  static la_ssize_t take(archive* writer, void* self, const void* bytes, std::size_t size) {
    auto& packer = *static_cast<Packer*>(self);
    const std::string_view all(static_cast<const char*>(bytes), size);
    for (auto left = all; !left.empty();) {
      const auto done = ::write(packer.file_.get(), left.data(), left.size());
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) {
        archive_set_error(writer, errno, "cannot write");
        return -1;
      }
      left.remove_prefix(static_cast<std::size_t>(done));
    }
    packer.digest_.update(all);
    return static_cast<la_ssize_t>(size);
  }

  void check(int status) {
    if (status >= ARCHIVE_WARN) return;
    const char* said = archive_error_string(writer_.get());
    const int error = archive_errno(writer_.get());
    fault(error > 0 ? error : EIO, "pack " + path_.string() + ": " + (said != nullptr ? said : ""));
  }

  const fs::path path_;
  const os::Fd file_;
  crypto::Sha256 digest_;
  std::map<std::pair<dev_t, ino_t>, std::string>
      links_;  // where a file with several names was packed
  std::vector<char> buffer_ = std::vector<char>(256 << 10);
  // Last: freeing it may still write what it holds.
  std::unique_ptr<archive, FreeWriter> writer_;
};

}  // namespace

std::string pack(const fs::path& directory, const fs::path& archive, const std::string& prefix,
                 Compression compression) {
  const Utf8Names names;
  const os::Fd top(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!top) fault("open " + directory.string());
  Packer packer(archive, compression);
  packer.add_directory(top.get(), prefix, 1);
  return packer.finish();
}

}  // namespace renga::releases
