// Slugs on the disk. Objects are synced before a row names them. The directories of links that
// dynos run from are not: they are marked with the kernel's boot id, and made anew after the next
// boot, which costs little. Whatever is being made has a name that starts with ".new-" and is moved
// to its final name whole, so that a crash leaves nothing half done under a name that counts.
//
// Older servers kept a slug as an archive, <sha256>.tar.zst or .tar.gz, unpacked into <sha256>/app.
// Such a slug is kept as a tree when somebody first needs its files; its archive goes with the
// garbage a day after: a backup may have taken its row before. Its checksum stays the archive's.
#include "releases/slugs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/fault.h"
#include "base/random.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "os/fd.h"
#include "os/machine.h"
#include "releases/archive.h"
#include "releases/slug_files.h"
#include "releases/tree.h"
#include "store/text_map.h"

namespace renga::releases {
namespace {

namespace fs = std::filesystem;

constexpr const char* old_suffixes[] = {".tar.zst", ".tar.gz"};
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
          .process_types = store::from_json(row.text(8)),
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

// Nothing for bytes that are neither gzip nor zstd.
bool is_archive(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  char magic[4] = {};
  in.read(magic, sizeof magic);
  const std::string_view start(magic, sizeof magic);
  return start.starts_with("\x1f\x8b") || start == "\x28\xb5\x2f\xfd";
}

std::string digest_of(const fs::path& path) {
  const os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) fault("open " + path.string());
  crypto::Sha256 digest;
  std::vector<char> buffer(256 << 10);
  for (;;) {
    const auto size = ::read(file.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fault("read " + path.string());
    if (size == 0) return digest.finish();
    digest.update({buffer.data(), static_cast<std::size_t>(size)});
  }
}

}  // namespace

Slugs::Slugs(store::Database& database, Clock& clock, fs::path directory, TreeLimits limits)
    : database_(database),
      clock_(clock),
      directory_(std::move(directory)),
      limits_(limits),
      boot_(os::boot_id()),
      owner_(geteuid() == 0 ? 1000 : -1),
      objects_(directory_ / "objects", owner_) {
  fs::permissions(directory_, fs::perms::owner_all);
}

void Slugs::set_in_use(std::function<std::vector<Id<Slug>>()> in_use) {
  *in_use_.lock() = std::move(in_use);
}

Result<Slug> Slugs::create(const NewSlug& wanted, const fs::path& app_directory) {
  TRY(tidy(app_directory, owner_));
  const Temporary made(*this);
  fs::create_directory(made.path);
  const std::lock_guard placing(placing_);
  const auto kept = TRY(objects_.keep(app_directory, limits_));
  std::error_code error;
  fs::rename(app_directory, made.path / "app", error);
  // Not across file systems; directory() makes it then.
  if (!error) place_directory(made, kept.tree);
  return insert(wanted, kept.tree, kept.bytes);
}

Result<Slug> Slugs::create_empty(const NewSlug& wanted) { return insert(wanted, "", 0); }

Result<Slug> Slugs::insert(const NewSlug& wanted, const std::string& tree, std::int64_t size) {
  const auto id = Id<Slug>::create();
  const auto now = clock_.now();
  database_.run(
      fmt::format("INSERT INTO slugs ({}, tree) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  columns),
      id, wanted.app, tree, size, wanted.stack, wanted.commit, wanted.commit_description,
      wanted.buildpack_provided_description, store::to_json(wanted.process_types), now, now, tree);
  return find(id);
}

Result<Slug> Slugs::upload(const Id<Slug>& id, const fs::path& uploaded) {
  const auto slug = TRY(find(id));
  const auto taken =
      fail(Kind::conflict,
           "This slug has its archive already. Create another slug for another archive.");
  if (!slug.checksum.empty()) return taken;
  if (!is_archive(uploaded))
    return fail(Kind::invalid, "A slug's archive must be a tar file compressed with gzip or zstd.");

  const Temporary made(*this);
  TRY(unpack_into(uploaded, made));
  const std::lock_guard placing(placing_);
  const auto kept = TRY(objects_.keep(made.path / "app", limits_));
  remove_tree(leftovers_of(made.path / "app"));
  place_directory(made, kept.tree);
  if (database_.run("UPDATE slugs SET checksum = ?, tree = ?, size = ?, updated_at = ? "
                    "WHERE id = ? AND checksum = ''",
                    kept.tree, kept.tree, kept.bytes, clock_.now(), id) == 0)
    return taken;
  return find(id);
}

Result<Slug> Slugs::find(const Id<Slug>& id) {
  auto slug =
      database_.first(fmt::format("SELECT {} FROM slugs WHERE id = ?", columns), read_slug, id);
  if (!slug) return fail(Kind::not_found, "Couldn't find that slug.");
  return *std::move(slug);
}

std::string Slugs::tree_of(const Slug& slug) {
  return database_
      .first(
          "SELECT tree FROM slugs WHERE id = ?", [](const store::Row& row) { return row.text(0); },
          slug.id)
      .value_or("");
}

std::optional<fs::path> Slugs::old_archive(const Slug& slug) const {
  for (const auto* suffix : old_suffixes) {
    auto path = directory_ / (sha_of(slug) + suffix);
    std::error_code error;
    if (fs::is_regular_file(path, error)) return path;
  }
  return std::nullopt;
}

bool Slugs::available(const Slug& slug) {
  if (slug.checksum.empty()) return false;
  const auto tree = tree_of(slug);
  return tree.empty() ? old_archive(slug).has_value() : objects_.has(tree);
}

Result<std::string> Slugs::kept_tree(const Slug& slug) {
  if (slug.checksum.empty())
    return fail(Kind::not_found,
                fmt::format("Slug {} has no archive yet: upload one.", slug.id.value));
  auto tree = tree_of(slug);
  if (!tree.empty()) return tree;

  const auto archive = old_archive(slug);
  if (!archive) return broken(slug, "its archive is gone");
  if (digest_of(*archive) != sha_of(slug)) return broken(slug, "its archive has other bytes");
  const Temporary made(*this);
  TRY(unpack_into(*archive, made));
  const std::lock_guard placing(placing_);
  // It was let in by other limits.
  const auto kept = TRY(objects_.keep(made.path / "app", TreeLimits::none()));
  remove_tree(leftovers_of(made.path / "app"));
  place_directory(made, kept.tree);
  touch(*archive);
  database_.run("UPDATE slugs SET tree = ? WHERE checksum = ? AND tree = ''", kept.tree,
                sha_of(slug));
  return kept.tree;
}

Result<fs::path> Slugs::directory(const Slug& slug) {
  const auto tree = TRY(kept_tree(slug));
  const auto path = directory_ / tree / "app";
  {
    // The mark's time says when somebody last asked: see drop_unused_directories().
    const std::lock_guard asking(asking_);
    if (is_made(tree) && touch(directory_ / tree / mark)) return path;
  }
  const Temporary made(*this);
  fs::create_directory(made.path);
  const auto whole = objects_.make(tree, made.path / "app");
  if (!whole) return broken(slug, whole.error().message);
  const std::lock_guard placing(placing_);
  place_directory(made, tree);
  return path;
}

std::unexpected<Error> Slugs::broken(const Slug& slug, const std::string& why) {
  return fail(Kind::not_found,
              fmt::format("Error R17 (Checksum error): slug {} does not match its checksum {}: "
                          "{}. Deploy again, or roll back to a release whose slug is whole.",
                          slug.id.value, slug.checksum, why));
}

Result<fs::path> Slugs::archive(const Slug& slug) {
  const auto tree = TRY(kept_tree(slug));
  const auto path = directory_ / (tree + std::string(export_suffix));
  if (is_fresh(path, export_kept) && touch(path)) return path;
  // Not of the directory that dynos run from: here every byte is checked.
  const Temporary checked(*this);
  fs::create_directory(checked.path);
  const auto whole = objects_.make(tree, checked.path / "app");
  if (!whole) return broken(slug, whole.error().message);
  const Temporary made(*this);
  pack(checked.path / "app", made.path, "app", Compression::gzip);
  fs::rename(made.path, path);
  return path;
}

Result<void> Slugs::unpack_into(const fs::path& archive, const Temporary& made) {
  fs::create_directory(made.path);
  TRY(unpack(archive, made.path, {}, owner_));
  std::error_code error;
  if (fs::symlink_status(made.path / "app", error).type() != fs::file_type::directory)
    return fail(Kind::invalid,
                "A slug's archive must have one directory, ./app, with the app inside.");
  return {};
}

bool Slugs::is_made(const std::string& tree) const {
  return first_line(directory_ / tree / mark) == boot_;
}

// Dynos may run from a directory that is in place: a good one stays.
void Slugs::place_directory(const Temporary& made, const std::string& tree) {
  if (is_made(tree)) return;
  std::ofstream(made.path / mark) << boot_ << '\n';
  const auto path = directory_ / tree;
  const Temporary old(*this);
  std::error_code error;  // there is none, mostly
  fs::rename(path, old.path, error);
  fs::rename(made.path, path);
}

}  // namespace renga::releases
