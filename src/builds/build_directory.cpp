#include "builds/build_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "base/fault.h"
#include "os/fd.h"
#include "os/file.h"
#include "os/process.h"
#include "releases/layers.h"

namespace renga::builds {
namespace fs = std::filesystem;

namespace {

// Variables by which programs are told of certificate authorities; each names one file.
constexpr std::array certificate_variables = {
    "SSL_CERT_FILE",       "CURL_CA_BUNDLE",    "REQUESTS_CA_BUNDLE", "PIP_CERT",
    "NODE_EXTRA_CA_CERTS", "npm_config_cafile", "GIT_SSL_CAINFO",     "CARGO_HTTP_CAINFO",
    "NIX_SSL_CERT_FILE",   "NPM_CONFIG_CAFILE"};

std::string local_target(std::size_t index) { return fmt::format("/local-buildpacks/{}", index); }

void sync(const fs::path& path) {
  const os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || fsync(file.get()) != 0) fault("sync " + path.string());
}

void write_file(const fs::path& path, std::string_view bytes) {
  const os::Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) fault("make " + path.string());
  while (!bytes.empty()) {
    const auto done = ::write(file.get(), bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fault("write " + path.string());
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  give(path);
}

// A forge's archive of a repository has all of it in one directory, `hello-main`; Terraform packs a
// directory in the same way. The app is what that directory holds.
void lift_only_directory(const fs::path& app, const fs::path& aside) {
  const std::vector<fs::directory_entry> entries(fs::directory_iterator(app),
                                                 fs::directory_iterator{});
  if (entries.size() != 1 || entries[0].is_symlink() || !entries[0].is_directory()) return;
  fs::remove_all(aside);
  fs::rename(entries[0].path(), aside);
  fs::remove(app);
  fs::rename(aside, app);
  fs::permissions(app, fs::perms(0755));
  give(app);
}

}  // namespace

void give(const fs::path& path) {
  if (geteuid() != 0) return;
  if (lchown(path.c_str(), sandbox_user, sandbox_user) != 0) fault("chown " + path.string());
}

void BuildDirectory::make(const fs::path& directory) const {
  fs::remove_all(directory);
  fs::create_directories(directory);
  fs::permissions(directory, fs::perms(0755));
  give(directory);
}

// Without what an earlier attempt left beside it. What is beside it, a sandbox does not reach.
void BuildDirectory::make_app() const {
  fs::remove_all(app().parent_path());
  make(app());
}

void BuildDirectory::keep_source(const fs::path& archive) {
  fs::create_directories(path_);
  fs::remove(source());
  // A copy where a link cannot be: another file system, or one that has no links.
  if (::link(archive.c_str(), source().c_str()) != 0) fs::copy_file(archive, source());
  sync(source());
  sync(path_);
  sync(path_.parent_path());
}

void BuildDirectory::keep_repository(const fs::path& at) {
  fs::create_directories(path_);
  write_file(repository(), at.string());
  sync(repository());
  sync(path_);
  sync(path_.parent_path());
}

Result<void> BuildDirectory::unpack(const Build& build) {
  make_app();
  TRY(releases::unpack(source(), app(), source_limits, sandbox_user));
  if (!build.source_url.empty()) lift_only_directory(app(), path_ / "lifted");
  return {};
}

Result<void> BuildDirectory::check_out(Commit commit, KeptSource kept) {
  const auto at = os::read_file(repository());
  if (!at) fault(ENOENT, "read " + repository().string());
  commit.repository = *at;
  TRY(kept.check_out(commit));
  make_app();
  if (!kept.is_kept()) {
    fs::remove(app());
    kept.give_away(app());
    return {};
  }
  make(app().parent_path() / "work");
  releases::put_over(kept.tree(), app());
  return {};
}

os::Fd BuildDirectory::open_app() const {
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  auto upper = os::open_file(app(), flags);
  const auto path = releases::lower_of(app());
  if (!path) return upper;
  auto lower = os::open_file(*path, flags);
  auto both = releases::view_of(lower.get(), upper.get());
  return both ? std::move(both) : std::move(lower);
}

void BuildDirectory::prepare(const apps::ConfigVars& config, const fs::path& saved) {
  make(home());
  make(result());
  make(env());
  for (const auto& [name, value] : config) write_file(env() / name, value);
  make(cache());
  if (!fs::exists(saved) || fs::is_empty(saved)) return;
  const auto copied =
      os::run({.argv = {"cp", "-a", "--reflink=auto", (saved / ".").string(), cache().string()}},
              {}, std::chrono::minutes(5));
  // A cache that cannot be copied (a full disk) only makes the build slow.
  if (copied.status != 0) make(cache());
}

void BuildDirectory::keep_submodules(const std::vector<Submodule>& submodules) {
  if (submodules.empty()) return;
  std::string lines;
  for (const auto& each : submodules) lines += each.path + '\t' + each.commit + '\n';
  write_file(path_ / "submodules", lines);
  sync(path_ / "submodules");
  sync(path_);
}

void BuildDirectory::write_plan(const std::vector<Buildpack>& buildpacks) {
  std::string plan;
  for (std::size_t i = 0; i < buildpacks.size(); ++i) {
    const auto& each = buildpacks[i];
    const auto [kind, address] = [&]() -> std::pair<const char*, std::string> {
      switch (each.from) {
        case Buildpack::From::here:
          return {"here", "/buildpacks/" + each.address};
        case Buildpack::From::git:
          return {"git", each.address};
        case Buildpack::From::archive:
          return {"archive", each.address};
        case Buildpack::From::local:
          return {"local", local_target(i)};
      }
      return {"here", each.address};
    }();
    plan += fmt::format("{}\t{}\t{}\t{}\n", kind, address, each.ref.empty() ? "-" : each.ref,
                        each.shown());
  }
  write_file(result() / "plan", plan);
  std::error_code none;
  if (fs::copy_file(path_ / "submodules", result() / "submodules", none))
    give(result() / "submodules");
}

void BuildDirectory::forget_config() { fs::remove_all(env()); }

std::map<std::string, std::string> BuildDirectory::with_certificates(
    std::map<std::string, std::string> environment) {
  make(certificates());
  std::map<std::string, std::string> copies;  // of one file that several variables name, one
  for (const auto* name : certificate_variables) {
    const auto found = environment.find(name);
    if (found == environment.end() || !found->second.starts_with('/')) continue;
    std::error_code error;
    if (!fs::is_regular_file(found->second, error)) continue;
    auto [copy, fresh] = copies.try_emplace(found->second, fmt::format("{}.pem", copies.size()));
    if (fresh) {
      fs::copy_file(found->second, certificates() / copy->second);
      fs::permissions(certificates() / copy->second, fs::perms(0644));
    }
    found->second = "/certificates/" + copy->second;
  }
  return environment;
}

std::vector<sandbox::Mount> BuildDirectory::mounts(const fs::path& directory,
                                                   const std::string& build_dir,
                                                   const std::vector<Buildpack>& buildpacks) const {
  std::vector<sandbox::Mount> all = {{app().string(), build_dir, true},
                                     {home().string(), "/app", true},
                                     {cache().string(), "/cache", true},
                                     {result().string(), "/result", true},
                                     {env().string(), "/env", false},
                                     {certificates().string(), "/certificates", false},
                                     {fs::absolute(directory).string(), "/buildpacks", false}};
  if (const auto lower = releases::lower_of(app())) {
    // An overlay of the first one (sandbox/README.md).
    all[0].source = app().parent_path();
    all.insert(all.begin(), {lower->string(), build_dir, false});
  }
  for (std::size_t i = 0; i < buildpacks.size(); ++i)
    if (buildpacks[i].from == Buildpack::From::local)
      all.push_back({buildpacks[i].address, local_target(i), false});
  return all;
}

Result<std::optional<std::string>> read_inside(int top, const std::string& name,
                                               std::size_t limit) {
  open_how how{};
  how.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC;  // a fifo must not make us wait
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const os::Fd file(static_cast<int>(syscall(SYS_openat2, top, name.c_str(), &how, sizeof how)));
  if (!file) {
    if (errno == ENOSYS) fault("open a file inside a directory (openat2, Linux 5.6)");
    return std::nullopt;
  }
  struct stat status {};
  if (fstat(file.get(), &status) != 0) fault("read " + name);
  if (!S_ISREG(status.st_mode)) return std::nullopt;

  std::string bytes;
  std::array<char, 16384> buffer;
  for (;;) {
    const auto count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fault("read " + name);
    if (count == 0) return bytes;
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
    if (bytes.size() > limit)
      return fail(Kind::too_large, fmt::format("{} is larger than {} KB.", name, limit >> 10));
  }
}

}  // namespace renga::builds
