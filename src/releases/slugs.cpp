// Slugs on the disk. Whatever is being made has a name that starts with ".new-" and is moved to its
// final name whole, so a crash leaves nothing half done under a name that counts; collect_garbage()
// takes the rest away.
//
// Archives are synced before a row names them. Unpacked directories are not: syncing thousands of
// small files would cost a deploy more than all else. A process that is killed loses nothing by
// that, a machine that loses its power may. So a directory is marked with the kernel's boot id, and
// one from another boot is unpacked again, unless collect_garbage() had everything synced since.
#include "releases/slugs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/fault.h"
#include "base/random.h"
#include "base/report.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "os/fd.h"
#include "releases/archive.h"
#include "releases/json.h"
#include "releases/tree.h"

namespace renga::releases {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view temporary_prefix = ".new-";
constexpr const char* extensions[] = {".tar.zst", ".tar.gz"};
constexpr std::string_view synced = "synced";
// How far an app can be rolled back: files of slugs that only older releases have are taken away.
constexpr int releases_kept = 100;
constexpr std::chrono::hours unreleased_kept{24};
constexpr const char* columns =
    "id, app, checksum, size, stack, \"commit\", commit_description, "
    "buildpack_provided_description, "
    "process_types, created_at, updated_at";

Slug read_slug(const store::Row& row) {
  const auto sha = row.text(2);
  return {.id = row.id<Slug>(0),
          .app = row.id<apps::App>(1),
          .checksum = sha.empty() ? "" : "SHA256:" + sha,
          .size = row.integer(3),
          .stack = row.text(4),
          .commit = row.text(5),
          .commit_description = row.text(6),
          .buildpack_provided_description = row.text(7),
          .process_types = from_json(row.text(8)),
          .created_at = row.time(9),
          .updated_at = row.time(10)};
}

std::string sha_of(const Slug& slug) {
  return std::string(text::split_once(slug.checksum, ':').second);
}

std::string first_line(const fs::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

// Whole or not at all: a directory that loses its mark is unpacked again, under dynos that run from
// it.
void mark(const fs::path& directory, std::string_view with) {
  const auto beside = directory / "unpacked.new";
  std::ofstream out(beside, std::ios::trunc);
  out << with << '\n';
  out.close();
  if (!out) fault(EIO, "write " + beside.string());
  fs::rename(beside, directory / "unpacked");
}

// Reads a file once: its SHA-256, and a synced copy when `copy` is not empty.
std::string digest_of(const fs::path& path, const fs::path& copy = {}) {
  const os::Fd in(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in) fault("open " + path.string());
  os::Fd out;
  if (!copy.empty()) {
    out = os::Fd(::open(copy.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!out) fault("make " + copy.string());
  }
  crypto::Sha256 digest;
  std::vector<char> buffer(256 << 10);
  for (;;) {
    const auto size = ::read(in.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fault("read " + path.string());
    if (size == 0) break;
    const std::string_view all(buffer.data(), static_cast<std::size_t>(size));
    digest.update(all);
    for (auto left = all; out && !left.empty();) {
      const auto done = ::write(out.get(), left.data(), left.size());
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) fault("write " + copy.string());
      left.remove_prefix(static_cast<std::size_t>(done));
    }
  }
  if (out && fsync(out.get()) != 0) fault("sync " + copy.string());
  return digest.finish();
}

// Nothing for bytes that are neither gzip nor zstd.
std::optional<std::string> extension_of(const fs::path& archive) {
  std::ifstream in(archive, std::ios::binary);
  char magic[4] = {};
  in.read(magic, sizeof magic);
  const std::string_view start(magic, sizeof magic);
  if (start.starts_with("\x1f\x8b")) return ".tar.gz";
  if (start == "\x28\xb5\x2f\xfd") return ".tar.zst";
  return std::nullopt;
}

std::unexpected<Error> too_large(std::int64_t size, std::int64_t most) {
  return fail(Kind::too_large,
              fmt::format("Compiled slug size: {:.1f}M is too large (max is {}M). Take large files "
                          "out of the app, or name them in .slugignore.",
                          static_cast<double>(size) / (1 << 20), most >> 20));
}

}  // namespace

// A file or directory that is being made, known to collect_garbage() as such, and gone with this
// object unless it was moved away.
class Slugs::Temporary {
 public:
  explicit Temporary(Slugs& slugs)
      : slugs_(slugs),
        name_(std::string(temporary_prefix) + random_hex(12)),
        path(slugs.directory_ / name_) {
    slugs_.temporaries_.lock()->insert(name_);
  }
  ~Temporary() {
    std::error_code error;
    fs::remove_all(path, error);
    if (error) report("slugs", fmt::format("cannot remove {}: {}", path.string(), error.message()));
    slugs_.temporaries_.lock()->erase(name_);
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

 private:
  Slugs& slugs_;
  const std::string name_;

 public:
  const fs::path path;
};

Slugs::Slugs(store::Database& database, Clock& clock, fs::path directory, std::int64_t most)
    : database_(database),
      clock_(clock),
      directory_(std::move(directory)),
      most_(most),
      boot_(first_line("/proc/sys/kernel/random/boot_id")),
      owner_(geteuid() == 0 ? 1000 : -1) {
  fs::create_directories(directory_);
  fs::permissions(directory_, fs::perms::owner_all);
}

Result<Slug> Slugs::create(const NewSlug& wanted, const fs::path& app_directory) {
  const bool self_contained = TRY(tidy(app_directory, owner_));
  const Temporary archive(*this);
  const auto sha = pack(app_directory, archive.path, "app");
  const auto size = static_cast<std::int64_t>(fs::file_size(archive.path));
  if (size > most_) return too_large(size, most_);

  // Moving is quick. What cannot be moved (another file system), or what somebody could still
  // change through a hard link from elsewhere, is unpacked from the archive.
  const Temporary unpacked(*this);
  fs::create_directory(unpacked.path);
  std::error_code error;
  if (self_contained) fs::rename(app_directory, unpacked.path / "app", error);
  if (!self_contained || error) {
    TRY(unpack(archive.path, unpacked.path, {}, owner_));
  }
  mark(unpacked.path, boot_);

  const std::lock_guard placing(placing_);
  place_archive(archive, sha + ".tar.zst");
  place_directory(unpacked, sha);
  return insert(wanted, sha, size);
}

Result<Slug> Slugs::create_empty(const NewSlug& wanted) { return insert(wanted, "", 0); }

Result<Slug> Slugs::insert(const NewSlug& wanted, const std::string& sha, std::int64_t size) {
  const auto id = Id<Slug>::create();
  const auto now = clock_.now();
  database_.run(
      fmt::format("INSERT INTO slugs ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", columns), id,
      wanted.app, sha, size, wanted.stack, wanted.commit, wanted.commit_description,
      wanted.buildpack_provided_description, to_json(wanted.process_types), now, now);
  return find(id);
}

Result<Slug> Slugs::upload(const Id<Slug>& id, const fs::path& uploaded) {
  const auto slug = TRY(find(id));
  const auto taken =
      fail(Kind::conflict,
           "This slug has its archive already. Create another slug for another archive.");
  if (!slug.checksum.empty()) return taken;
  const auto size = static_cast<std::int64_t>(fs::file_size(uploaded));
  if (size > most_) return too_large(size, most_);
  const auto extension = extension_of(uploaded);
  if (!extension)
    return fail(Kind::invalid, "A slug's archive must be a tar file compressed with gzip or zstd.");

  const Temporary archive(*this);
  const auto sha = digest_of(uploaded, archive.path);
  const Temporary unpacked(*this);
  TRY(unpack_into(archive.path, unpacked));

  const std::lock_guard placing(placing_);
  place_archive(archive, sha + *extension);
  place_directory(unpacked, sha);
  if (database_.run(
          "UPDATE slugs SET checksum = ?, size = ?, updated_at = ? WHERE id = ? AND checksum = ''",
          sha, size, clock_.now(), id) == 0)
    return taken;
  return find(id);
}

Result<Slug> Slugs::find(const Id<Slug>& id) {
  auto slug =
      database_.first(fmt::format("SELECT {} FROM slugs WHERE id = ?", columns), read_slug, id);
  if (!slug) return fail(Kind::not_found, "Couldn't find that slug.");
  return *std::move(slug);
}

Result<fs::path> Slugs::archive(const Slug& slug) {
  if (slug.checksum.empty())
    return fail(Kind::not_found,
                fmt::format("Slug {} has no archive yet: upload one.", slug.id.value));
  const auto sha = sha_of(slug);
  for (const auto* extension : extensions) {
    auto path = directory_ / (sha + extension);
    std::error_code error;
    if (fs::is_regular_file(path, error)) return path;
  }
  return fail(Kind::not_found, fmt::format("The archive of slug {} is gone from {}. Deploy again, "
                                           "or roll back to a release that has "
                                           "its slug.",
                                           slug.id.value, directory_.string()));
}

bool Slugs::available(const Slug& slug) { return archive(slug).has_value(); }

Result<fs::path> Slugs::directory(const Slug& slug) {
  const auto sha = sha_of(slug);
  if (!sha.empty() && unpacked(sha)) return directory_ / sha / "app";

  const auto path = TRY(archive(slug));
  if (digest_of(path) != sha)
    return fail(Kind::not_found,
                fmt::format("Error R17 (Checksum error): the archive of slug {} does not match its "
                            "checksum {}. Deploy again.",
                            slug.id.value, slug.checksum));
  const Temporary made(*this);
  TRY(unpack_into(path, made));
  const std::lock_guard placing(placing_);
  place_directory(made, sha);
  return directory_ / sha / "app";
}

Result<void> Slugs::unpack_into(const fs::path& archive, const Temporary& made) {
  fs::create_directory(made.path);
  TRY(unpack(archive, made.path, {}, owner_));
  std::error_code error;
  if (fs::symlink_status(made.path / "app", error).type() != fs::file_type::directory)
    return fail(Kind::invalid,
                "A slug's archive must have one directory, ./app, with the app inside.");
  mark(made.path, boot_);
  return {};
}

bool Slugs::unpacked(const std::string& sha) const {
  const auto marked = first_line(directory_ / sha / "unpacked");
  return !marked.empty() && (marked == synced || marked == boot_);
}

void Slugs::place_archive(const Temporary& made, const std::string& name) {
  fs::rename(made.path, directory_ / name);
  sync_directory(directory_);
}

// Dynos may run from a directory that is in place: a good one stays.
void Slugs::place_directory(const Temporary& made, const std::string& sha) {
  if (unpacked(sha)) return;
  const auto path = directory_ / sha;
  const Temporary old(*this);
  std::error_code error;  // there is none, mostly
  fs::rename(path, old.path, error);
  fs::rename(made.path, path);
}

// Of the newest releases of each app, of the one that is current, of releases that wait for their
// release command; and what is younger than a day, since a slug is made before its release.
std::set<std::string> Slugs::needed() {
  std::set<std::string> all;
  database_.query(
      "SELECT DISTINCT s.checksum FROM slugs s WHERE s.created_at > ? OR EXISTS "
      "(SELECT 1 FROM releases r WHERE r.slug = s.id AND (r.status = 'pending' "
      "OR r.version > (SELECT max(version) FROM releases WHERE app = r.app) - ? "
      "OR r.version = (SELECT max(version) FROM releases WHERE app = r.app "
      "AND status = 'succeeded')))",
      [&](const store::Row& row) { all.insert(row.text(0)); }, clock_.now() - unreleased_kept,
      releases_kept);
  return all;
}

void Slugs::collect_garbage() {
  std::vector<fs::path> garbage;
  std::vector<fs::path> unsynced;
  {
    const std::lock_guard placing(placing_);
    database_.run(
        "DELETE FROM slugs WHERE app NOT IN (SELECT id FROM apps) "
        "AND id NOT IN (SELECT slug FROM releases WHERE slug IS NOT NULL)");
    const auto kept = needed();
    for (const auto& each : fs::directory_iterator(directory_)) {
      const auto name = each.path().filename().string();
      if (name.starts_with(temporary_prefix)) {
        if (!temporaries_.lock()->contains(name)) garbage.push_back(each.path());
      } else if (!kept.contains(name.substr(0, name.find('.')))) {
        // Out of the way under the lock, removed without it: trees take long.
        auto away = directory_ / (std::string(temporary_prefix) + random_hex(12));
        fs::rename(each.path(), away);
        garbage.push_back(std::move(away));
      } else if (first_line(each.path() / "unpacked") == boot_) {
        unsynced.push_back(each.path());
      }
    }
  }
  for (const auto& path : garbage) {
    std::error_code error;
    fs::remove_all(path, error);
    if (error) report("slugs", fmt::format("cannot remove {}: {}", path.string(), error.message()));
  }
  if (unsynced.empty()) return;
  const os::Fd directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || syncfs(directory.get()) != 0) fault("sync " + directory_.string());
  const std::lock_guard placing(placing_);
  for (const auto& path : unsynced)
    if (fs::exists(path / "unpacked")) mark(path, synced);
}

}  // namespace renga::releases
