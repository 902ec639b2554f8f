// Slugs: built apps on the disk, as trees of objects that all slugs share (objects.h): equal
// content is there once, and one slug, whatever the releases and apps. A slug's checksum is its
// tree's. DIR/slugs/objects has them; DIR/slugs/<sha256>/app is one made of links to them, to be
// mounted read-only, all owned 1000:1000 when control is root, without setuid bits and devices. The
// objects are what counts: a directory that is missing or may have lost bytes with the power is
// made again. Blocks on the disk and the store; safe from any thread.
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/locked.h"
#include "releases/objects.h"
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
  // `directory` is DIR/slugs; made (mode 0700) when it is missing.
  Slugs(store::Database& database, Clock& clock, std::filesystem::path directory,
        TreeLimits limits = {});

  // Which slugs dynos run from. Asked by drop_unused_directories(), on its thread.
  void set_in_use(std::function<std::vector<Id<Slug>>()> in_use);

  // From a directory that a build filled and that nobody changes any more, which is consumed: keeps
  // it, and writes the row when all of it is safely on the disk. Kind::too_large past the limit,
  // Kind::invalid for a tree that no slug can hold.
  Result<Slug> create(const NewSlug& wanted, const std::filesystem::path& app_directory);
  // A row without a file, until upload() (the slug API).
  Result<Slug> create_empty(const NewSlug& wanted);
  // From an uploaded tar.gz or tar.zst with ./app inside. Kind::conflict when the
  // slug has its files already.
  Result<Slug> upload(const Id<Slug>& id, const std::filesystem::path& archive);

  Result<Slug> find(const Id<Slug>& id);
  // Where the app is, and, made for whoever asks, Heroku's tar.gz of it. What is not there is made
  // again, and every byte checked. Kind::not_found, with the reason, when a file is gone or does
  // not match its checksum (R17).
  Result<std::filesystem::path> directory(const Slug& slug);
  Result<std::filesystem::path> archive(const Slug& slug);
  bool available(const Slug& slug);
  // Rows of destroyed apps that no release needs, objects that no row needs, and leftovers of
  // interrupted builds; then the directories. At start, when nothing was started yet, and after
  // destroys.
  void collect_garbage();
  // Takes away the directories that nobody runs from: each costs the disk its own directories.
  // Those of current releases stay. directory() makes the others again.
  void drop_unused_directories();

 private:
  class Temporary;
  struct Needed;

  Result<Slug> insert(const NewSlug& wanted, const std::string& tree, std::int64_t size);
  std::string tree_of(const Slug& slug);
  Result<std::string> kept_tree(const Slug& slug);
  std::optional<std::filesystem::path> old_archive(const Slug& slug) const;
  static std::unexpected<Error> broken(const Slug& slug, const std::string& why);
  bool is_made(const std::string& tree) const;
  void place_directory(const Temporary& made, const std::string& tree);
  Result<void> unpack_into(const std::filesystem::path& archive, const Temporary& made);
  Needed needed();
  std::set<std::string> directories_in_use();

  store::Database& database_;
  Clock& clock_;
  const std::filesystem::path directory_;
  const TreeLimits limits_;
  const std::string boot_;  // the kernel's id of this boot
  const int owner_;         // of files; -1 when we may not give files away
  Objects objects_;
  // Held while files are kept and until the row that needs them is written, so that garbage is not
  // collected in between. Never taken inside a transaction.
  std::mutex placing_;
  std::mutex asking_;  // held while a directory is given to somebody, and while one is taken away
  Locked<std::set<std::string>> temporaries_;  // names in `directory_` that someone is filling
  Locked<std::function<std::vector<Id<Slug>>()>> in_use_{
      std::function<std::vector<Id<Slug>>()>([] { return std::vector<Id<Slug>>(); })};
};

}  // namespace renga::releases
