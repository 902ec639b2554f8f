// Unpacking an archive from a stranger. libarchive parses; what it says is written by this file and
// not by libarchive's own disk writer, whose ARCHIVE_EXTRACT_SECURE_* checks work on paths relative
// to the current directory, of which a process with threads has only one. Here every name is split
// into plain components, and each is opened relative to the directory before it, never through a
// symbolic link (O_NOFOLLOW). So there is no path that could lead out, whatever the archive put
// there before.
//
// Names are dealt with in their order, by one thread. The content of small files, of which there
// are thousands, is written by others as well: into descriptors, whatever becomes of the names.
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/fault.h"
#include "os/fd.h"
#include "os/file.h"
#include "releases/archive.h"
#include "releases/archive_names.h"
#include "releases/shared_work.h"

namespace renga::releases {
namespace {

namespace fs = std::filesystem;
using Parts = std::vector<std::string>;

constexpr std::int64_t small_file = 64 << 10;
constexpr std::int64_t pile_bytes = 512 << 10;
constexpr std::size_t pile_files = 32;
constexpr std::size_t most_piles = 16;  // wait at once, each with its files open

struct FreeReader {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, FreeReader>;

std::string in_quotes(std::string_view name) {
  const auto shown = text::printable(name.substr(0, 200));
  return "\"" + shown + (name.size() > 200 ? "…\"" : "\"");
}

std::unexpected<Error> refused(std::string_view name, std::string_view why) {
  return fail(Kind::invalid, fmt::format("The archive was refused: {} {}.", in_quotes(name), why));
}

std::string_view said(archive* reader) {
  const char* text = archive_error_string(reader);
  return text != nullptr ? text : "it is damaged";
}

// Errors that the names in an archive cause; all others are the machine's.
bool is_about_the_name(int error) {
  return error == ENAMETOOLONG || error == ENOTDIR || error == ELOOP || error == EISDIR ||
         error == EINVAL || error == EILSEQ;
}

class Unpacker {
 public:
  Unpacker(const fs::path& target, const UnpackLimits& limits, int owner)
      : limits_(limits),
        owner_(geteuid() == 0 ? owner : -1),
        root_(::open(target.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    if (!root_) fault("open " + target.string());
  }

  // Returns when all is written.
  void finish() {
    hand_out();
    files_.finish();
  }

  Result<void> add(archive* reader, archive_entry* entry) {
    if (++entries_ > limits_.entries)
      return fail(
          Kind::too_large,
          fmt::format("The archive was refused: it has more than {} files.", limits_.entries));
    const char* said_name = archive_entry_pathname(entry);
    if (said_name == nullptr) said_name = archive_entry_pathname_utf8(entry);
    if (said_name == nullptr)
      return fail(Kind::invalid, "The archive was refused: a file in it has no name.");
    const std::string name = said_name;

    auto parts = components(name);
    if (!parts) return refused(name, "leads outside of it");
    if (parts->size() > deepest)
      return refused(name, fmt::format("is more than {} directories deep", deepest));
    if (parts->empty()) return {};  // "./": the target itself
    const std::string last = std::move(parts->back());
    parts->pop_back();

    if (const char* link = archive_entry_hardlink(entry))
      return add_hard_link(name, *parts, last, link);
    switch (archive_entry_filetype(entry)) {
      case AE_IFREG:
        return add_file(reader, entry, name, *parts, last);
      case AE_IFDIR:
        return add_directory(entry, name, *parts, last);
      case AE_IFLNK:
        return add_link(entry, name, *parts, last);
      case AE_IFCHR:
      case AE_IFBLK:
        return refused(name, "is a device");
      case AE_IFIFO:
        return refused(name, "is a fifo");
      case AE_IFSOCK:
        return refused(name, "is a socket");
      default:
        return refused(name, "is neither a file, a directory nor a link");
    }
  }

 private:
  // The directory that these names lead to; missing ones are made.
  Result<int> directory(const std::string& name, const Parts& parts) {
    if (current_ && parts == current_parts_) return current_.get();
    os::Fd at;
    for (const auto& part : parts) {
      const int above = at ? at.get() : root_.get();
      os::Fd next(open_directory(above, part));
      if (!next && errno == ENOENT) {
        if (mkdirat(above, part.c_str(), 0755) != 0) return failed(name, "make a directory for");
        own(above, part);
        next = os::Fd(open_directory(above, part));
      }
      if (!next && (errno == ENOTDIR || errno == ELOOP))
        return refused(name, "goes through " + in_quotes(part) + ", which is a link or a file");
      if (!next) return failed(name, "open the directory of");
      at = std::move(next);
    }
    if (parts.empty()) return root_.get();
    current_parts_ = parts;
    current_ = std::move(at);
    return current_.get();
  }

  // With O_DIRECTORY, a symbolic link is ENOTDIR.
  static int open_directory(int above, const std::string& name) {
    return openat(above, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  }

  Result<void> add_directory(archive_entry* entry, const std::string& name, const Parts& parts,
                             const std::string& last) {
    const int above = TRY(directory(name, parts));
    struct stat there {};
    const bool exists = fstatat(above, last.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0;
    if (!exists || !S_ISDIR(there.st_mode)) {
      if (exists) TRY(clear(above, last, name));
      if (mkdirat(above, last.c_str(), 0755) != 0) return failed(name, "make");
      own(above, last);
    }
    // What lies below must stay reachable for its owner, who may have to remove it.
    const os::Fd made(openat(above, last.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!made) return failed(name, "open");
    if (fchmod(made.get(), (archive_entry_perm(entry) & 0777) | 0700) != 0)
      return failed(name, "chmod");
    return {};
  }

  Result<void> add_file(archive* reader, archive_entry* entry, const std::string& name,
                        const Parts& parts, const std::string& last) {
    TRY(count(archive_entry_size_is_set(entry) != 0 ? archive_entry_size(entry) : 0));
    const int above = TRY(directory(name, parts));
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    os::Fd file(openat(above, last.c_str(), flags, 0600));
    if (!file && errno == EEXIST) {
      TRY(clear(above, last, name));
      file = os::Fd(openat(above, last.c_str(), flags, 0600));
    }
    if (!file) return failed(name, "make");

    const auto entry_size = archive_entry_size_is_set(entry) != 0 ? archive_entry_size(entry) : -1;
    const Facts facts{name, (archive_entry_perm(entry) & 0777) | 0400,
                      archive_entry_mtime_is_set(entry) != 0
                          ? std::optional<std::int64_t>(archive_entry_mtime(entry))
                          : std::nullopt};
    if (entry_size >= 0 && entry_size <= small_file && archive_entry_sparse_count(entry) == 0) {
      std::string content(static_cast<std::size_t>(entry_size), '\0');
      const auto size = archive_read_data(reader, content.data(), content.size());
      if (size < 0) return refused(name, fmt::format("cannot be read: {}", said(reader)));
      written_ += size;
      content.resize(static_cast<std::size_t>(size));
      pile_->push_back({std::move(file), facts, std::move(content)});
      if ((piled_ += size) >= pile_bytes || pile_->size() >= pile_files) hand_out();
      return {};
    }

    std::int64_t end = 0;
    for (;;) {
      const void* bytes = nullptr;
      std::size_t size = 0;
      la_int64_t offset = 0;
      const int status = archive_read_data_block(reader, &bytes, &size, &offset);
      if (status == ARCHIVE_EOF) break;
      if (status < ARCHIVE_WARN)
        return refused(name, fmt::format("cannot be read: {}", said(reader)));
      end = std::max(end, static_cast<std::int64_t>(offset) + static_cast<std::int64_t>(size));
      // Checked before the bytes are on the disk, and against the larger of what was announced and
      // what came.
      if (written_ + end > limits_.bytes) return over();
      TRY(write(file.get(), static_cast<const char*>(bytes), size, offset, name));
    }
    if (archive_entry_size_is_set(entry) != 0 && archive_entry_size(entry) > end) {
      end = archive_entry_size(entry);  // a sparse file that ends with a hole
      if (ftruncate(file.get(), end) != 0) return failed(name, "extend");
    }
    written_ += end;
    complete(file.get(), facts);
    return {};
  }

  struct Facts {
    std::string name;
    mode_t mode;
    std::optional<std::int64_t> time;
  };
  struct Small {
    os::Fd file;
    Facts facts;
    std::string content;
  };
  using Pile = std::vector<Small>;
  // Waking somebody for a single small file takes as long as writing it.
  void hand_out() {
    files_.add([this, pile = std::exchange(pile_, std::make_shared<Pile>())] {
      for (const auto& [file, facts, content] : *pile) {
        os::write_all(file.get(), content, text::printable(facts.name));
        complete(file.get(), facts);
      }
      pile->clear();  // closes them
    });
    piled_ = 0;
  }
  // Of a file whose content is there. By whichever thread.
  void complete(int file, const Facts& facts) const {
    const auto id = static_cast<unsigned>(owner_);
    if (owner_ >= 0 && fchown(file, id, id) != 0) fault("chown " + text::printable(facts.name));
    if (fchmod(file, facts.mode) != 0) fault("chmod " + text::printable(facts.name));
    if (!facts.time) return;
    const timespec times[2] = {{0, UTIME_OMIT}, {*facts.time, 0}};
    futimens(file, times);  // a time the file system cannot hold is not worth a refusal
  }

  Result<void> add_link(archive_entry* entry, const std::string& name, const Parts& parts,
                        const std::string& last) {
    const char* link = archive_entry_symlink(entry);
    if (link == nullptr) link = archive_entry_symlink_utf8(entry);
    if (link == nullptr || *link == '\0') return refused(name, "is a link to nothing");
    if (leads_out(parts.size(), link))
      return refused(name, "is a link that leads outside of it, to " + in_quotes(link));
    const int above = TRY(directory(name, parts));
    if (symlinkat(link, above, last.c_str()) != 0) {
      if (errno != EEXIST) return failed(name, "make");
      TRY(clear(above, last, name));
      if (symlinkat(link, above, last.c_str()) != 0) return failed(name, "make");
    }
    own(above, last);
    return {};
  }

  Result<void> add_hard_link(const std::string& name, const Parts& parts, const std::string& last,
                             const std::string& link) {
    auto from = components(link);
    if (!from || from->empty() || from->size() > deepest)
      return refused(name, "is a link that leads outside of it, to " + in_quotes(link));
    const std::string source = std::move(from->back());
    from->pop_back();
    if (*from == parts && source == last) return {};

    os::Fd source_directory(openat(root_.get(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    for (const auto& part : *from) {
      source_directory = os::Fd(open_directory(source_directory.get(), part));
      if (!source_directory)
        return refused(name, "is a link to " + in_quotes(link) + ", which is not in it");
    }
    struct stat there {};
    if (fstatat(source_directory.get(), source.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0)
      return refused(name, "is a link to " + in_quotes(link) + ", which is not in it");
    if (!S_ISREG(there.st_mode))
      return refused(name, "is a hard link to something that is not a file");

    const int above = TRY(directory(name, parts));
    if (linkat(source_directory.get(), source.c_str(), above, last.c_str(), 0) == 0) return {};
    if (errno != EEXIST) return failed(name, "link");
    TRY(clear(above, last, name));
    if (linkat(source_directory.get(), source.c_str(), above, last.c_str(), 0) != 0)
      return failed(name, "link");
    return {};
  }

  // A later entry takes the place of an earlier one, but a directory stays.
  Result<void> clear(int above, const std::string& last, const std::string& name) {
    if (unlinkat(above, last.c_str(), 0) != 0) {
      if (errno == EISDIR) return refused(name, "is a file and a directory");
      return failed(name, "replace");
    }
    return {};
  }

  void own(int above, const std::string& last) {
    if (owner_ < 0) return;
    if (fchownat(above, last.c_str(), static_cast<uid_t>(owner_), static_cast<gid_t>(owner_),
                 AT_SYMLINK_NOFOLLOW) != 0)
      fault("chown " + last);
  }

  Result<void> write(int file, const char* bytes, std::size_t size, std::int64_t offset,
                     const std::string& name) {
    while (size > 0) {
      const auto done = pwrite(file, bytes, size, offset);
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) return failed(name, "write");
      bytes += done;
      size -= static_cast<std::size_t>(done);
      offset += done;
    }
    return {};
  }

  Result<void> count(std::int64_t announced) {
    if (announced < 0 || announced > limits_.bytes - written_) return over();
    return {};
  }
  std::unexpected<Error> over() const {
    return fail(Kind::too_large,
                fmt::format("The archive was refused: unpacked it is larger than {} MB.",
                            std::max<std::int64_t>(limits_.bytes >> 20, 1)));
  }

  static std::unexpected<Error> failed(const std::string& name, const std::string& what) {
    if (is_about_the_name(errno)) return refused(name, "has a name that cannot be used here");
    fault(what + " " + text::printable(name));
  }

  const UnpackLimits limits_;
  const int owner_;
  const os::Fd root_;
  // Archives come sorted more often than not: the last directory is kept open.
  Parts current_parts_;
  os::Fd current_;
  std::int64_t entries_ = 0;
  std::int64_t written_ = 0;
  std::shared_ptr<Pile> pile_ = std::make_shared<Pile>();
  std::int64_t piled_ = 0;  // bytes
  SharedWork work_{SharedWork::for_files(), most_piles};
  SharedWork::Batch files_{work_};
};

}  // namespace

Result<void> unpack(const fs::path& path, const fs::path& target, const UnpackLimits& limits,
                    int owner) {
  const os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) fault("open " + path.string());
  return unpack(file.get(), target, limits, owner);
}

Result<void> unpack(int archive, const fs::path& target, const UnpackLimits& limits, int owner) {
  const Utf8Names names;
  const Reader reader(archive_read_new());
  if (!reader) throw std::bad_alloc();
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_zstd(reader.get());
  archive_read_support_format_tar(reader.get());

  const auto damaged = [&] {
    return fail(Kind::invalid, fmt::format("The archive cannot be read ({}). It must be a tar file "
                                           "compressed with gzip or zstd.",
                                           text::printable(said(reader.get()))));
  };
  if (archive_read_open_fd(reader.get(), archive, 256 << 10) != ARCHIVE_OK) return damaged();

  Unpacker unpacker(target, limits, owner);
  for (;;) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF) break;
    if (status < ARCHIVE_WARN) return damaged();
    TRY(unpacker.add(reader.get(), entry));
  }
  unpacker.finish();
  return {};
}

}  // namespace renga::releases
