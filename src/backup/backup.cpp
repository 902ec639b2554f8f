#include "backup/backup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "backup/archive_file.h"
#include "backup/bundles.h"
#include "base/clock.h"
#include "base/fault.h"
#include "store/database.h"

namespace renga::backup {
namespace {

namespace fs = std::filesystem;

// Snapshots on their way into an archive: DIR/backup, for one backup at a time.
class Draft {
 public:
  static Result<Draft> open(const fs::path& data) {
    fs::create_directories(data / "run");
    os::Fd lock(::open((data / "run/backup.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock) fault("open " + (data / "run/backup.lock").string());
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
      return fail(Kind::conflict, "Another backup of " + data.string() + " is under way.");
    return Draft(data / "backup", std::move(lock));
  }
  ~Draft() {
    std::error_code ignored;
    if (lock_) fs::remove_all(path_, ignored);
  }
  Draft(Draft&&) = default;
  Draft& operator=(Draft&&) = delete;

  const fs::path& path() const { return path_; }

 private:
  Draft(fs::path path, os::Fd lock) : path_(std::move(path)), lock_(std::move(lock)) {
    fs::remove_all(path_);  // of one that was killed
    fs::create_directory(path_);
    fs::permissions(path_, fs::perms(0700));
  }
  fs::path path_;
  os::Fd lock_;
};

// A file that is made whole or not at all.
class Unfinished {
 public:
  explicit Unfinished(fs::path path) : path_(std::move(path)) {}
  ~Unfinished() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  const fs::path& path() const { return path_; }
  // Never over a file that came meanwhile.
  Result<void> become(const fs::path& file) {
    if (::link(path_.c_str(), file.c_str()) != 0) {
      if (errno == EEXIST) return fail(Kind::invalid, file.string() + " is there already.");
      fault("make " + file.string());
    }
    const os::Fd directory(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::fsync(directory.get()) != 0) fault("sync " + file.parent_path().string());
    return {};
  }

 private:
  fs::path path_;
};

std::vector<fs::path> sorted(const fs::path& directory) {
  std::vector<fs::path> found;
  std::error_code none;
  for (fs::directory_iterator at(directory, none), end; at != end; ++at)
    found.push_back(at->path());
  std::ranges::sort(found);
  return found;
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// The store's own files are in the snapshot; what is written beside its place is not there yet.
bool belongs(const fs::path& file) {
  const auto name = file.filename().string();
  return fs::is_regular_file(fs::symlink_status(file)) && !name.starts_with("renga.db") &&
         !name.starts_with('.') && !name.ends_with(".new") && !name.ends_with(".lock") &&
         name != head_name && name != checksums_name;
}

}  // namespace

Result<Summary> back_up(const fs::path& data, const fs::path& wanted) {
  if (!fs::exists(data / "renga.db"))
    return fail(Kind::not_found, fmt::format("{} is not a data directory of renga: there is no "
                                             "renga.db in it. Name it with --data DIR.",
                                             data.string()));
  const auto file = fs::absolute(wanted);
  if (fs::exists(fs::symlink_status(file)))
    return fail(Kind::invalid, file.string() + " is there already. Choose another name.");
  if (!fs::is_directory(file.parent_path()))
    return fail(Kind::invalid, file.parent_path().string() + " is not a directory.");

  const auto draft = TRY(Draft::open(data));
  Unfinished unfinished(fs::path(fmt::format("{}.{}.unfinished", file.string(), ::getpid())));
  const auto archive = TRY(ArchiveWriter::create(unfinished.path()));
  Summary summary;
  const auto add = [&](const std::string& name, const fs::path& path) {
    const auto size = archive->add_file(name, path);
    summary.bytes += size.value_or(0);
    return size.has_value();
  };

  archive->add_text(std::string(head_name),
                    fmt::format("format 2\ncreated {}\n", rfc3339(SystemClock().now())));
  const auto snapshot = draft.path() / "renga.db";
  store::Database((data / "renga.db").string()).backup_to(snapshot.string());
  add("renga.db", snapshot);
  fs::remove(snapshot);

  for (const auto& path : sorted(data))
    if (belongs(path)) add(path.filename().string(), path);
  // Archives are what slugs of an older server are, until somebody needs their files.
  for (const auto& path : sorted(data / "slugs")) {
    const auto name = path.filename().string();
    if (is_sha256(name.substr(0, 64)) && name.substr(64).starts_with(".tar"))
      summary.slug_files += add("slugs/" + name, path) ? 1 : 0;
  }
  for (const auto& path : sorted(data / "slugs/objects")) {
    const auto name = path.filename().string();
    if (is_sha256(name.substr(0, 64)))
      summary.slug_files += add("slugs/objects/" + name, path) ? 1 : 0;
  }
  for (const auto& path : sorted(data / "output"))
    if (path.extension() == ".done") add("output/" + path.filename().string(), path);
  for (const auto& path : sorted(data / "repositories")) {
    if (path.extension() != ".git") continue;
    const auto bundle = draft.path() / "bundle";
    const auto written = write_bundle(path, bundle);
    // An app that is destroyed meanwhile takes its repository with it.
    if (!written && fs::exists(path)) return std::unexpected(written.error());
    if (!written || !*written) continue;
    add("repositories/" + path.stem().string() + ".bundle", bundle);
    fs::remove(bundle);
    ++summary.repositories;
  }
  archive->finish();
  TRY(unfinished.become(file));
  return summary;
}

}  // namespace renga::backup
