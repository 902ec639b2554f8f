// BuildDirectory: the files of one build, DIR/builds/<id>, and what its sandbox sees of them. The
// source is kept until the build has ended, so that it can start again: the archive it came in, or
// the name of the repository that has the commit.
// Whatever was writable for the sandbox is a stranger's when it is read back: no link is followed
// out of it and no size believed. Private to this room; used by one thread at a time.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/config_vars.h"
#include "base/result.h"
#include "builds/build.h"
#include "builds/buildpacks.h"
#include "builds/kept_source.h"
#include "os/fd.h"
#include "releases/archive.h"
#include "sandbox/spec.h"

namespace renga::builds {

// The user inside every sandbox, and the owner on the disk of what it may change.
inline constexpr int sandbox_user = 1000;
void give(const std::filesystem::path& path);

inline constexpr releases::UnpackLimits source_limits = {.bytes = 1LL << 30};

class BuildDirectory {
 public:
  explicit BuildDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path source() const { return path_ / "source"; }          // the archive
  std::filesystem::path repository() const { return path_ / "repository"; }  // where there is none
  // BUILD_DIR: the source, and what the build makes of it; or, over a source that is kept, what it
  // makes alone.
  std::filesystem::path app() const { return path_ / "app" / "upper"; }
  os::Fd open_app() const;                                         // as the build sees it
  std::filesystem::path cache() const { return path_ / "cache"; }  // CACHE_DIR: a copy of the app's
  std::filesystem::path home() const { return path_ / "home"; }    // what it writes to /app
  std::filesystem::path env() const { return path_ / "env"; }      // ENV_DIR
  std::filesystem::path result() const { return path_ / "result"; }  // what the driver leaves
  std::filesystem::path certificates() const { return path_ / "certificates"; }

  // Takes the archive in: linked where that can be, else copied; synced.
  void keep_source(const std::filesystem::path& archive);
  // Where the commit is; synced.
  void keep_repository(const std::filesystem::path& repository);
  void keep_submodules(const std::vector<Submodule>& submodules);
  // Unpacks the archive of `build` into a fresh app(). At most 1 GB of files. One from an address
  // that has all in one directory is what that directory holds.
  Result<void> unpack(const Build& build);
  // The other kind of source, as it was committed: it lies below app() where it is kept, and is
  // app() where not.
  bool is_commit() const { return std::filesystem::exists(repository()); }
  Result<void> check_out(Commit commit, KeptSource kept);
  // Fresh home(), result(), env() and cache(), the cache from `saved` where that is there.
  void prepare(const apps::ConfigVars& config, const std::filesystem::path& saved);
  // Tells the driver which buildpacks to run; local ones are mounted by mounts().
  void write_plan(const std::vector<Buildpack>& buildpacks);
  // Config vars are not kept for longer than the sandbox runs.
  void forget_config();
  // Certificate files of the host that an environment names, copied to where the sandbox can see
  // them, and the environment that names the copies.
  std::map<std::string, std::string> with_certificates(
      std::map<std::string, std::string> environment);
  std::vector<sandbox::Mount> mounts(const std::filesystem::path& directory,
                                     const std::string& build_dir,
                                     const std::vector<Buildpack>& buildpacks) const;

 private:
  void make(const std::filesystem::path& directory) const;
  void make_app() const;
  std::filesystem::path path_;
};

// A regular file below the directory `top`, whose links are followed as if that were the root.
// Nothing when there is no such file; Kind::too_large past `limit` bytes.
Result<std::optional<std::string>> read_inside(int top, const std::string& name, std::size_t limit);

}  // namespace renga::builds
