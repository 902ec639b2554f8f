#include "backup/archive_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <optional>
#include <stdexcept>
#include <vector>

#include "base/fault.h"
#include "base/text.h"
#include "crypto/digest.h"

namespace renga::backup {
namespace {

constexpr std::size_t piece_size = 256 * 1024;
constexpr std::size_t largest_checksums = 512 << 20;

struct FreeWriter {
  void operator()(archive* writer) const { archive_write_free(writer); }
};
struct FreeReader {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

void write_all(int fd, const char* bytes, std::size_t size) {
  while (size > 0) {
    const auto written = ::write(fd, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fault("write a restored file");
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
}

Error broken(std::string_view why) {
  return {Kind::invalid,
          fmt::format("This backup cannot be trusted: {}. Nothing was restored.", why)};
}

}  // namespace

struct ArchiveWriter::State {
  os::Fd file;
  std::filesystem::path path;
  std::unique_ptr<archive, FreeWriter> writer;
  std::string checksums;

  void check(la_ssize_t result) {
    if (result < ARCHIVE_WARN)
      throw std::runtime_error("write " + path.string() + ": " +
                               archive_error_string(writer.get()));
  }
  void begin(const std::string& name, std::int64_t size) {
    const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0600);
    archive_entry_set_size(entry.get(), size);
    archive_entry_set_mtime(entry.get(), std::time(nullptr), 0);
    check(archive_write_header(writer.get(), entry.get()));
  }
  void data(std::string_view piece) {
    check(archive_write_data(writer.get(), piece.data(), piece.size()));
  }
  void end(const std::string& name, std::string sha256) {
    check(archive_write_finish_entry(writer.get()));
    checksums += fmt::format("{}  {}\n", sha256, name);
  }
};

ArchiveWriter::ArchiveWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ArchiveWriter::~ArchiveWriter() = default;

Result<std::unique_ptr<ArchiveWriter>> ArchiveWriter::create(const std::filesystem::path& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  state->file = os::Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!state->file && errno == EEXIST)
    return fail(Kind::invalid, path.string() + " is there already. Choose another name.");
  if (!state->file) fault("make " + path.string());
  state->writer.reset(archive_write_new());
  if (!state->writer) throw std::bad_alloc();
  state->check(archive_write_set_format_pax_restricted(state->writer.get()));
  state->check(archive_write_add_filter_none(state->writer.get()));
  state->check(archive_write_set_bytes_per_block(state->writer.get(), piece_size));
  state->check(archive_write_set_bytes_in_last_block(state->writer.get(), 1));
  state->check(archive_write_open_fd(state->writer.get(), state->file.get()));
  return std::unique_ptr<ArchiveWriter>(new ArchiveWriter(std::move(state)));
}

void ArchiveWriter::add_text(const std::string& name, std::string_view content) {
  state_->begin(name, static_cast<std::int64_t>(content.size()));
  state_->data(content);
  state_->end(name, crypto::sha256(content));
}

std::optional<std::int64_t> ArchiveWriter::add_file(const std::string& name,
                                                    const std::filesystem::path& file) {
  const os::Fd in(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!in && errno == ENOENT) return std::nullopt;
  struct stat status {};
  if (!in || ::fstat(in.get(), &status) != 0) fault("open " + file.string());
  state_->begin(name, status.st_size);
  crypto::Sha256 digest;
  std::vector<char> piece(piece_size);
  // No more than the header says, should it grow; and not less.
  std::int64_t left = status.st_size;
  while (left > 0) {
    const auto wanted = std::min<std::int64_t>(left, static_cast<std::int64_t>(piece.size()));
    const auto got = ::read(in.get(), piece.data(), static_cast<std::size_t>(wanted));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fault("read " + file.string());
    if (got == 0) throw std::runtime_error(file.string() + " became shorter while it was read");
    const std::string_view bytes(piece.data(), static_cast<std::size_t>(got));
    digest.update(bytes);
    state_->data(bytes);
    left -= got;
  }
  state_->end(name, digest.finish());
  return status.st_size;
}

void ArchiveWriter::finish() {
  const auto all = std::move(state_->checksums);
  state_->begin(std::string(checksums_name), static_cast<std::int64_t>(all.size()));
  state_->data(all);
  state_->check(archive_write_close(state_->writer.get()));
  if (::fsync(state_->file.get()) != 0) fault("sync " + state_->path.string());
}

Result<void> read_archive(
    const std::filesystem::path& path,
    const std::function<Result<os::Fd>(const std::string&, std::int64_t)>& open,
    const std::function<Result<void>(const std::string&, const std::string&)>& done) {
  const std::unique_ptr<archive, FreeReader> reader(archive_read_new());
  if (!reader) throw std::bad_alloc();
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_filename(reader.get(), path.c_str(), piece_size) != ARCHIVE_OK)
    return fail(Kind::invalid, fmt::format("{} cannot be read: {}.", path.string(),
                                           archive_error_string(reader.get())));

  std::map<std::string, std::string> found;  // name to SHA-256
  std::optional<std::string> checksums;
  archive_entry* entry = nullptr;
  for (int result = 0; (result = archive_read_next_header(reader.get(), &entry)) != ARCHIVE_EOF;) {
    if (result != ARCHIVE_OK) return std::unexpected(broken("it is damaged or cut short"));
    const char* said = archive_entry_pathname(entry);
    const std::string name = said == nullptr ? "" : said;
    if (found.empty() && name != head_name)
      return fail(Kind::invalid, path.string() + " is not a backup of renga.");
    if (checksums || archive_entry_filetype(entry) != AE_IFREG ||
        archive_entry_hardlink(entry) != nullptr || found.contains(name))
      return std::unexpected(broken(text::printable(name) + " does not belong in it"));

    os::Fd out;
    const bool last = name == checksums_name;
    if (last) {
      checksums.emplace();
    } else {
      out = TRY(open(name, archive_entry_size(entry)));
    }
    crypto::Sha256 digest;
    std::vector<char> piece(piece_size);
    for (;;) {
      const auto got = archive_read_data(reader.get(), piece.data(), piece.size());
      if (got < 0) return std::unexpected(broken("it ends in the middle of " + name));
      if (got == 0) break;
      const std::string_view bytes(piece.data(), static_cast<std::size_t>(got));
      digest.update(bytes);
      if (last && checksums->size() + bytes.size() > largest_checksums)
        return std::unexpected(broken("its list of checksums has no end"));
      if (last) checksums->append(bytes);
      if (!last) write_all(out.get(), bytes.data(), bytes.size());
    }
    if (last) continue;
    found[name] = digest.finish();
    TRY(done(name, found[name]));
  }
  if (!checksums) return std::unexpected(broken("it ends before its checksums: it was cut short"));

  std::size_t listed = 0;
  for (const auto line : text::lines(*checksums)) {
    const auto sha256 = line.substr(0, std::min<std::size_t>(line.size(), 64));
    const std::string name(line.size() > 66 ? line.substr(66) : "");
    const auto there = found.find(name);
    if (there == found.end() || there->second != sha256)
      return std::unexpected(broken(text::printable(name) + " is not what was backed up"));
    ++listed;
  }
  if (listed != found.size()) return std::unexpected(broken("it has files without a checksum"));
  return {};
}

}  // namespace renga::backup
