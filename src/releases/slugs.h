// Slugs: built apps on the disk, content-addressed by their archive's SHA-256 and shared by every
// release and app that runs them. DIR/slugs/<sha256>.tar.zst (or .tar.gz, as uploaded) is the
// archive, rooted at ./app; DIR/slugs/<sha256>/app is its content unpacked, to be mounted
// read-only, all owned 1000:1000 when control is root, without setuid bits and devices. The archive
// is what counts: an unpacked directory that is missing or may have lost bytes with the power is
// unpacked again. Blocks on the disk and the store; safe from any thread.
#pragma once

#include <filesystem>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/locked.h"
#include "releases/release.h"
#include "store/database.h"

namespace renga::releases {

// What is known of a slug before it has a file.
struct NewSlug {
  Id<apps::App> app;
  std::string stack;
  std::string commit;
  std::string commit_description;
  std::string buildpack_provided_description;
  ProcessTypes process_types;
};

class Slugs {
 public:
  static constexpr std::int64_t size_limit = 500LL << 20;  // compressed bytes, as Heroku's

  // `directory` is DIR/slugs; made (mode 0700) when it is missing. `most` is the size limit to
  // keep.
  Slugs(store::Database& database, Clock& clock, std::filesystem::path directory,
        std::int64_t most = size_limit);

  // From a directory that a build filled and that nobody changes any more: archives it (zstd),
  // moves it into place, and writes the row when the archive is safely on the disk. Kind::too_large
  // past the limit, Kind::invalid for a tree that no slug can hold. The directory may be consumed.
  Result<Slug> create(const NewSlug& wanted, const std::filesystem::path& app_directory);
  // A row without a file, until upload() (the slug API).
  Result<Slug> create_empty(const NewSlug& wanted);
  // From an uploaded tar.gz or tar.zst with ./app inside, which is copied. Kind::conflict when the
  // slug has a file already.
  Result<Slug> upload(const Id<Slug>& id, const std::filesystem::path& archive);

  Result<Slug> find(const Id<Slug>& id);
  // Where the unpacked app is (its ./app); unpacked again from the archive when it is missing.
  // Kind::not_found, with the reason, when the archive is gone or does not match its checksum
  // (R17).
  Result<std::filesystem::path> directory(const Slug& slug);
  Result<std::filesystem::path> archive(const Slug& slug);
  bool available(const Slug& slug);
  // Rows of destroyed apps that no release needs, files that no row needs, and leftovers of
  // interrupted builds. At start and after destroys.
  void collect_garbage();

 private:
  class Temporary;

  Result<Slug> insert(const NewSlug& wanted, const std::string& sha, std::int64_t size);
  bool unpacked(const std::string& sha) const;
  void place_archive(const Temporary& made, const std::string& name);
  void place_directory(const Temporary& made, const std::string& sha);
  Result<void> unpack_into(const std::filesystem::path& archive, const Temporary& made);
  std::set<std::string> needed();

  store::Database& database_;
  Clock& clock_;
  const std::filesystem::path directory_;
  const std::int64_t most_;
  const std::string boot_;  // the kernel's id of this boot
  const int owner_;         // of unpacked files; -1 when we may not give files away
  // Held while a file is put in place and until the row that needs it is written, so that garbage
  // is not collected in between. Never taken inside a transaction.
  std::mutex placing_;
  Locked<std::set<std::string>> temporaries_;  // names in `directory_` that someone is filling
};

}  // namespace renga::releases
