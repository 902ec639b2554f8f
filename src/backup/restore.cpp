// A restore fills a directory beside the one that is wanted, checks everything in it, and moves it
// into place in one step: nobody ever sees a half of it.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <vector>

#include "backup/archive_file.h"
#include "backup/backup.h"
#include "backup/bundles.h"
#include "base/fault.h"
#include "base/text.h"
#include "store/database.h"

namespace renga::backup {
namespace {

namespace fs = std::filesystem;

class Draft {
 public:
  explicit Draft(const fs::path& data)
      : path_(fmt::format("{}.restoring-{}", data.string(), ::getpid())) {
    fs::create_directories(path_.parent_path());
    if (::mkdir(path_.c_str(), 0700) != 0) fault("make " + path_.string());
  }
  ~Draft() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  const fs::path& path() const { return path_; }
  void become(const fs::path& data) {
    // Onto an empty directory too (rename(2)).
    if (::rename(path_.c_str(), data.c_str()) != 0) fault("make " + data.string());
    path_.clear();
    const os::Fd above(::open(data.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!above || ::fsync(above.get()) != 0) fault("sync " + data.parent_path().string());
  }

 private:
  fs::path path_;
};

// The files of slugs: objects, and in a backup of format 1, or of slugs that are older, archives.
constexpr std::string_view slugs = "slugs/", objects = "slugs/objects/";

// "renga.db", or one of the directories and a plain name in it; nothing that leads elsewhere.
bool is_name(std::string_view name) {
  const auto [directory, rest] = text::split_once(name, '/');
  const auto plain = [](std::string_view part) {
    return !part.empty() && part.size() <= 200 && part.front() != '.' &&
           part.find_first_not_of(
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
               "._-") == part.npos;
  };
  if (directory.size() == name.size()) return plain(name);
  if (name.starts_with(objects)) return plain(name.substr(objects.size()));
  if (directory == "slugs") return plain(rest) && rest.find(".tar") == 64;
  return (directory == "repositories" || directory == "output") && plain(rest);
}

// The head's first line; a newer program's backup may hold what would be lost here.
Result<void> check_format(const fs::path& head) {
  std::ifstream in(head);
  std::string line;
  std::getline(in, line);
  if (line == "format 1" || line == "format 2") return {};
  return fail(Kind::invalid, "This backup is of a newer renga (" + text::printable(line) +
                                 "). Restore it with that one.");
}

void sync(const fs::path& directory) {
  const os::Fd opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened || ::syncfs(opened.get()) != 0) fault("sync " + directory.string());
}

Result<void> check_store(const fs::path& file) {
  if (!fs::exists(file)) return fail(Kind::invalid, "There is no store in this backup.");
  std::string said;
  try {
    store::Database database(file.string());
    database.query("PRAGMA integrity_check(1)", [&](const store::Row& row) { said = row.text(0); });
  } catch (const store::Failure& failure) {
    said = failure.what();
  }
  if (said != "ok")
    return fail(Kind::invalid, "The store in this backup is damaged: " + said + ".");
  return {};
}

}  // namespace

Result<Summary> restore(const fs::path& file, const fs::path& wanted) {
  auto data = fs::absolute(wanted).lexically_normal();
  if (!data.has_filename()) data = data.parent_path();
  if (!fs::is_regular_file(file)) return fail(Kind::not_found, file.string() + " is not a file.");
  if (fs::exists(fs::symlink_status(data)) && !(fs::is_directory(data) && fs::is_empty(data)))
    return fail(Kind::invalid, fmt::format("{} is there already and is not empty. Restore into "
                                           "another directory, or move this one away first.",
                                           data.string()));
  Draft draft(data);
  for (const auto* directory : {"slugs", "slugs/objects", "repositories", "output"}) {
    fs::create_directory(draft.path() / directory);
    fs::permissions(draft.path() / directory, fs::perms(0700));
  }

  Summary summary;
  TRY(read_archive(
      file,
      [&](const std::string& name, std::int64_t size) -> Result<os::Fd> {
        if (!is_name(name))
          return fail(Kind::invalid, fmt::format("This backup has {} in it, which does not belong "
                                                 "there. Nothing was restored.",
                                                 text::printable(name)));
        const auto path = draft.path() / name;
        os::Fd out(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                          name == "ca.pem" ? 0644 : 0600));
        if (!out) fault("make " + path.string());
        if (name != head_name) summary.bytes += size;
        return out;
      },
      [&](const std::string& name, const std::string& sha256) -> Result<void> {
        if (!name.starts_with(slugs)) return {};
        // Each is named by its checksum.
        const auto at = name.starts_with(objects) ? objects.size() : slugs.size();
        if (name.substr(at, 64) != sha256)
          return fail(Kind::invalid, name + " is not what its name says. Nothing was restored.");
        ++summary.slug_files;
        return {};
      }));
  TRY(check_format(draft.path() / head_name));
  fs::remove(draft.path() / head_name);
  TRY(check_store(draft.path() / "renga.db"));
  std::vector<fs::path> bundles;
  for (const auto& entry : fs::directory_iterator(draft.path() / "repositories"))
    bundles.push_back(entry.path());
  for (const auto& bundle : bundles) {
    TRY(read_bundle(bundle, draft.path() / "repositories" / (bundle.stem().string() + ".git")));
    fs::remove(bundle);
    ++summary.repositories;
  }
  // As the server makes it: others may pass through to ca.pem.
  fs::permissions(draft.path(), fs::perms(0711));
  sync(draft.path());
  draft.become(data);
  return summary;
}

}  // namespace renga::backup
