// What nobody needs any more is taken away by reference, from the top down: rows first, then what
// only they named, then the objects that no slug reaches. Killed in between, it leaves too much and
// never too little, and the next one takes it.
#include <fmt/format.h>

#include "releases/slug_files.h"

namespace renga::releases {
namespace {

namespace fs = std::filesystem;

// How far an app can be rolled back: files of slugs that only older releases have are taken away.
constexpr int releases_kept = 100;
constexpr std::chrono::hours unreleased_kept{24};
constexpr std::string_view old_suffix = ".tar.";  // of an older server's archives
constexpr std::chrono::hours old_kept{24};
// A directory that was made or asked for is given this long to be seen in use.
constexpr std::chrono::seconds directory_kept{10};

}  // namespace

struct Slugs::Needed {
  std::set<std::string> directories, trees, archives;

  bool keeps(const fs::path& path) const {
    const auto name = path.filename().string();
    if (name.ends_with(export_suffix)) return is_fresh(path, export_kept);
    if (const auto sha = name.substr(0, name.find(old_suffix)); sha != name)
      return archives.contains(sha) || (directories.contains(sha) && is_fresh(path, old_kept));
    return name == objects_name || directories.contains(name);
  }
};

// Of the newest releases of each app, of the one that is current, of releases that wait for their
// release command; and what is younger than a day, since a slug is made before its release.
Slugs::Needed Slugs::needed() {
  Needed all;
  database_.query(
      "SELECT DISTINCT s.checksum, s.tree FROM slugs s WHERE s.created_at > ? OR EXISTS "
      "(SELECT 1 FROM releases r WHERE r.slug = s.id AND (r.status = 'pending' "
      "OR r.version > (SELECT max(version) FROM releases WHERE app = r.app) - ? "
      "OR r.version = (SELECT max(version) FROM releases WHERE app = r.app "
      "AND status = 'succeeded')))",
      [&](const store::Row& row) {
        const auto checksum = row.text(0), tree = row.text(1);
        // Dynos may still run from what an older server unpacked.
        all.directories.insert({checksum, tree});
        if (tree.empty())
          all.archives.insert(checksum);
        else
          all.trees.insert(tree);
      },
      clock_.now() - unreleased_kept, releases_kept);
  return all;
}

void Slugs::collect_garbage() {
  std::vector<fs::path> garbage;
  {
    const std::lock_guard placing(placing_);
    database_.run(
        "DELETE FROM slugs WHERE app NOT IN (SELECT id FROM apps) "
        "AND id NOT IN (SELECT slug FROM releases WHERE slug IS NOT NULL)");
    const auto kept = needed();
    for (const auto& each : fs::directory_iterator(directory_)) {
      const auto name = each.path().filename().string();
      if (name.starts_with(unfinished_prefix)) {
        if (!temporaries_.lock()->contains(name)) garbage.push_back(each.path());
      } else if (!kept.keeps(each.path())) {
        // Out of the way under the lock, removed without it: trees take long.
        garbage.push_back(directory_ / unfinished_name());
        fs::rename(each.path(), garbage.back());
      }
    }
    objects_.sweep(kept.trees);
  }
  for (const auto& path : garbage) remove_tree(path);
  drop_unused_directories();
}

// Current releases keep theirs, so that what sleeps wakes quickly.
std::set<std::string> Slugs::directories_in_use() {
  std::set<std::string> names;
  const auto add = [&](const store::Row& row) { names.insert({row.text(0), row.text(1)}); };
  database_.query(
      "SELECT s.checksum, s.tree FROM slugs s JOIN releases r ON r.slug = s.id "
      "WHERE r.status = 'pending' OR r.version = "
      "(SELECT max(version) FROM releases WHERE app = r.app AND status = 'succeeded')",
      add);
  const auto in_use = *in_use_.lock();
  for (const auto& slug : in_use())
    database_.query("SELECT checksum, tree FROM slugs WHERE id = ?", add, slug);
  return names;
}

void Slugs::drop_unused_directories() {
  // Looked at before it is asked who runs: whoever asks in between leaves a fresh mark.
  std::vector<fs::path> idle;
  const auto is_idle = [](const fs::path& path) {
    for (const auto* each : {mark, old_mark})
      if (fs::exists(path / each)) return !is_fresh(path / each, directory_kept);
    return path.string().ends_with(export_suffix) && !is_fresh(path, export_kept);
  };
  for (const auto& each : fs::directory_iterator(directory_))
    if (!each.path().filename().string().starts_with(unfinished_prefix) && is_idle(each.path()))
      idle.push_back(each.path());
  if (idle.empty()) return;
  const auto in_use = directories_in_use();
  for (const auto& path : idle) {
    if (in_use.contains(path.filename().string())) continue;
    const auto aside = directory_ / unfinished_name();
    {
      const std::lock_guard asking(asking_);
      std::error_code gone;
      if (is_idle(path)) fs::rename(path, aside, gone);
    }
    remove_tree(aside);
  }
}

}  // namespace renga::releases
