// Slugs: built apps on the disk, content-addressed by their archive's SHA-256 and shared by every release
// and app that runs them. DIR/slugs/<sha256>.tar.zst (or .tar.gz, as uploaded) is the archive, rooted
// at ./app; DIR/slugs/<sha256>/ its content unpacked, read-only, all owned 1000:1000, with setuid bits,
// devices and paths that lead outside refused. Safe from any thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

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

  Slugs(store::Database& database, Clock& clock, std::filesystem::path directory);

  // From a directory that a build filled: archives it (zstd), unpacks or moves it into place, syncs, and
  // writes the row. Kind::too_large past size_limit. The directory may be consumed.
  Result<Slug> create(const NewSlug& wanted, const std::filesystem::path& app_directory);
  // From an uploaded tar.gz or tar.zst with ./app inside (the slug API).
  Result<Slug> create_empty(const NewSlug& wanted);  // a row without a file, until upload()
  Result<Slug> upload(const Id<Slug>& id, const std::filesystem::path& archive);

  Result<Slug> find(const Id<Slug>& id);
  // Where the unpacked app is; unpacked again from the archive when it is missing. Kind::not_found, with
  // the reason, when the archive is gone or does not match its checksum (R17).
  Result<std::filesystem::path> directory(const Slug& slug);
  Result<std::filesystem::path> archive(const Slug& slug);
  bool available(const Slug& slug);
  // Files that no slug row needs any more, and leftovers of interrupted builds. At start and after destroys.
  void collect_garbage();

 private:
  store::Database& database_;
  Clock& clock_;
  std::filesystem::path directory_;
};

}  // namespace renga::releases
