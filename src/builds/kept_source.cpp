// git says which paths differ between two commits, and hands over those that are new as it does all
// of them, by `git archive`: what attributes do to a file (line ends, say) is git's own affair.
// Once attributes themselves change, or so much that little is gained, everything is asked for.
#include "builds/kept_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <thread>

#include "base/fault.h"
#include "base/text.h"
#include "builds/build_directory.h"
#include "builds/confined_git.h"
#include "os/file.h"
#include "os/machine.h"
#include "os/mount.h"
#include "os/process.h"
#include "releases/archive.h"
#include "releases/layers.h"

namespace renga::builds {
namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;

constexpr const char* ignore_file = ".slugignore";
constexpr std::ptrdiff_t most_kept = 50'000;     // names
constexpr std::size_t most_changed = 1'000;      // paths
constexpr std::size_t most_named = 100'000;      // bytes of their names, which are git's arguments
constexpr std::int64_t most_grown = 64LL << 20;  // past the limit of a source, at most
constexpr std::int64_t least_grown = 4096;       // by a name
constexpr auto last_words = 10s;

// Ends a child when its time is over or it is called off.
class Leash {
 public:
  Leash(os::Child& child, const Commit& limits)
      : let_go_(eventfd(0, EFD_CLOEXEC)), thread_([this, &child, &limits] {
          pollfd waits[] = {{let_go_.get(), POLLIN, 0}, {limits.called_off, POLLIN, 0}};
          const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(limits.time);
          while (poll(waits, 2, static_cast<int>(time.count())) < 0 && errno == EINTR) continue;
          if (waits[0].revents != 0) return;
          pulled_ = true;
          child.signal(SIGKILL);
        }) {}
  ~Leash() { let_go(); }
  Leash(const Leash&) = delete;
  Leash& operator=(const Leash&) = delete;

  // Whether it was pulled before.
  bool let_go() {
    eventfd_write(let_go_.get(), 1);
    if (thread_.joinable()) thread_.join();
    return pulled_;
  }

 private:
  const os::Fd let_go_;
  std::atomic<bool> pulled_ = false;
  std::thread thread_;
};

// Straight from git: the commit is safe in its repository, and one more copy of all files that is
// synced would cost more than the rest of a build's own work. No paths are all of them.
Result<void> unpack(const Commit& commit, const std::vector<std::string>& paths,
                    const releases::UnpackLimits& limits, const fs::path& target) {
  // "--" would be a path.
  std::vector<std::string> words = {"--literal-pathspecs", "archive", "--format=tar",
                                    "--end-of-options", commit.id};
  words.insert(words.end(), paths.begin(), paths.end());
  os::Child git(git_read_command(commit.repository, words), {.err = STDERR_FILENO});
  git.in().close();
  fcntl(git.out().get(), F_SETPIPE_SZ, 1 << 20);  // fewer turns; without it, more
  Leash leash(git, commit);
  const auto done = releases::unpack(git.out().get(), target, limits, sandbox_user);
  if (leash.let_go())
    return fail(Kind::conflict, "git did not hand over the source in the time that a build has.");
  git.out().close();
  if (!git.wait_for(last_words)) git.signal(SIGKILL);
  // When git fails, its archive ends early.
  if (const int status = git.wait(); status != 0 && (done || done.error().kind == Kind::invalid))
    throw std::runtime_error(fmt::format("git archive ended with {}", status));
  return done;
}

struct Changes {
  std::vector<std::string> gone;     // paths whose old content goes
  std::vector<std::string> present;  // and that have a new one
};

// Nothing where they are too many, or not to be had.
std::optional<Changes> changes(const Commit& commit, const std::string& from) {
  const auto said = os::run(
      git_read_command(commit.repository, {"diff-tree", "-r", "-z", "--name-status", "--no-renames",
                                           "--end-of-options", from, commit.id}),
      {}, commit.time);
  if (said.status != 0 || said.out.size() > most_named) return std::nullopt;
  Changes found;
  const auto words = text::split(said.out, '\0');
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    const std::string path(words[i + 1]);
    if (path == ignore_file || fs::path(path).filename() == ".gitattributes") return std::nullopt;
    if (words[i] != "A") found.gone.push_back(path);
    if (words[i] != "D") found.present.push_back(path);
  }
  if (found.gone.size() + found.present.size() > most_changed) return std::nullopt;
  return found;
}

// Not where files are to be taken out, nor what has so many names that having them twice costs more
// than it saves.
bool is_worth_keeping(const fs::path& tree) {
  if (fs::symlink_status(tree / ignore_file).type() != fs::file_type::not_found) return false;
  const fs::recursive_directory_iterator names(tree);
  return std::distance(begin(names), end(names)) <= most_kept;
}

// With the directories that have nothing in them then, as git does.
bool remove_path(int top, std::string_view path) {
  for (bool first = true; !path.empty(); first = false) {
    const auto slash = path.rfind('/');
    const auto parent = slash == path.npos ? std::string_view() : path.substr(0, slash);
    const std::string name(slash == path.npos ? path : path.substr(slash + 1));
    const auto directory =
        os::open_inside(top, parent.empty() ? "." : std::string(parent), O_PATH | O_DIRECTORY);
    if (!directory || name.empty() || name == "." || name == "..") return false;
    int done = unlinkat(directory.get(), name.c_str(), first ? 0 : AT_REMOVEDIR);
    // A submodule is an empty directory.
    if (done != 0 && first && errno == EISDIR)
      done = unlinkat(directory.get(), name.c_str(), AT_REMOVEDIR);
    if (done != 0 && !first && (errno == ENOTEMPTY || errno == EEXIST)) return true;
    if (done != 0) return false;
    path = parent;
  }
  return true;
}

}  // namespace

Result<void> KeptSource::check_out(const Commit& commit) {
  if (advance(commit)) return {};
  remove();
  fs::create_directories(tree());
  give(tree());
  const auto done = unpack(commit, {}, source_limits, tree());
  if (!done && done.error().kind == Kind::too_large)
    return fail(Kind::too_large,
                fmt::format("The source is larger than {} GB or has more than {} files. Take large "
                            "files out of git, or fetch them when the app starts.",
                            source_limits.bytes >> 30, source_limits.entries));
  TRY(done);
  if (is_worth_keeping(tree())) note({commit.id});
  return {};
}

bool KeptSource::advance(const Commit& commit) const {
  auto now = state();
  if (!now || !releases::is_whole(tree())) return false;
  if (now->commit == commit.id) return true;
  const auto changed = changes(commit, now->commit);
  if (!changed) return false;
  fs::remove(state_file());  // until it is whole again
  const auto top = os::open_file(tree(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  for (const auto& path : changed->gone)
    if (!remove_path(top.get(), path)) return false;
  if (!changed->present.empty() &&
      !unpack(commit, changed->present, {.bytes = most_grown - now->grown}, tree()))
    return false;
  for (const auto& path : changed->present) {
    struct stat status {};
    if (fstatat(top.get(), path.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return false;
    now->grown += std::max<std::int64_t>(status.st_size, least_grown);
  }
  note({commit.id, now->grown});
  return true;
}

std::optional<KeptSource::State> KeptSource::state() const {
  const auto text = os::read_file(state_file());
  if (!text) return std::nullopt;
  const auto words = text::split(text::trim(*text), ' ');
  if (words.size() != 3 || words[0] != os::boot_id()) return std::nullopt;
  const auto grown = text::number(words[2]);
  if (!grown) return std::nullopt;
  return State{std::string(words[1]), *grown};
}

void KeptSource::note(const State& state) const {
  os::replace_file(state_file(),
                   fmt::format("{} {} {}\n", os::boot_id(), state.commit, state.grown), 0600);
}

void KeptSource::give_away(const fs::path& to) {
  forget();
  fs::rename(tree(), to);
}

void KeptSource::forget() { fs::remove(state_file()); }

void KeptSource::remove() { fs::remove_all(path_); }

}  // namespace renga::builds
