#include "sandbox/run_directory.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/fault.h"
#include "base/id.h"
#include "base/random.h"
#include "base/text.h"
#include "os/file.h"
#include "os/machine.h"
#include "os/mount.h"
#include "os/namespaces.h"

namespace renga::sandbox {
namespace {

constexpr std::string_view hidden_prefix = ".removed-";
constexpr std::string_view held_prefix = ".held-";
constexpr int lock_again_ms = 1;
constexpr const char* noted = "process";  // what will be its state, until the start is complete

void make(const std::filesystem::path& path) {
  if (mkdir(path.c_str(), 0700) != 0) fault("make " + path.string());
}

void give(const std::filesystem::path& path, uid_t owner, mode_t mode) {
  if (chown(path.c_str(), owner, owner) != 0 || chmod(path.c_str(), mode) != 0)
    fault("hand " + path.string() + " to the sandbox");
}

// Sandboxes have nothing to do with one another, and so each one's files may have a part of the
// disk of their own (chattr +T). In one for all, an ext4 without a journal would pass over each
// file that was removed there in the last five minutes whenever it makes one. Other file systems
// refuse.
void spread(const os::Fd& directory) {
  int flags = 0;
  if (ioctl(directory.get(), FS_IOC_GETFLAGS, &flags) != 0) return;
  flags |= FS_TOPDIR_FL;
  ioctl(directory.get(), FS_IOC_SETFLAGS, &flags);
}

os::Fd open_below(const os::Fd& directory, const std::string& name) {
  os::Fd opened(
      openat(directory.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!opened) fault("open " + name + " of a sandbox");
  return opened;
}

std::string held_name(const std::string& place) { return std::string(held_prefix) + place; }

}  // namespace

RunDirectory::RunDirectory(std::filesystem::path root) : root_(std::move(root)) {}

void RunDirectory::prepare(PrivateMounts& mounts) {
  std::filesystem::create_directories(root_);
  if (chmod(root_.c_str(), 0700) != 0) fault("close " + root_.string() + " to others");
  spread(os::open_file(root_, O_RDONLY | O_DIRECTORY));
  // An overlay tells in the sandbox's list of mounts where its directories are: seen from here they
  // are below /run/renga/mounts, and nothing of the server's. One for all, since the end of a mount
  // costs a grace period of the kernel.
  mount_ = os::clone_mount(AT_FDCWD, root_.string(), {});
  mounts.attach(mount_);
}

os::Fd RunDirectory::lock(std::chrono::milliseconds limit) const {
  std::filesystem::create_directories(root_.parent_path());
  // Beside it: what is in it is a sandbox's.
  auto lock = os::open_file(root_.string() + ".lock", O_RDWR | O_CREAT, 0600);
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) fault("lock " + root_.string());
    if (std::chrono::steady_clock::now() > deadline)
      fault(ETIMEDOUT, "lock " + root_.string() + ", which an earlier spawner still uses");
    poll(nullptr, 0, lock_again_ms);
  }
  return lock;
}

void RunDirectory::hold(const std::string& place) {
  const auto directory = root_ / held_name(place);
  make(directory);
  // A link, which is read and made in one call and leads nowhere.
  if (symlink(place.c_str(), (directory / "place").c_str()) != 0)
    fault("note the place of " + directory.string());
  make(directory / "upper");
  make(directory / "work");
  os::open_file(directory / "exit", O_WRONLY | O_CREAT | O_EXCL, 0600);
}

void RunDirectory::hand_over(const std::string& place, uid_t owner) {
  give(root_ / held_name(place) / "upper", owner, 0755);
  give(root_ / held_name(place) / "work", owner, 0700);
}

RunDirectory::Layers RunDirectory::layers(const std::string& place, bool used) {
  const auto directory = open_below(mount_, held_name(place));
  if (used) {
    struct stat info;
    const auto path = root_ / held_name(place) / "work";
    if (stat(path.c_str(), &info) != 0) fault("look at " + path.string());
    os::remove_tree(os::open_file(path.parent_path(), O_RDONLY | O_DIRECTORY).get(), "work");
    make(path);
    give(path, info.st_uid, 0700);
  }
  return {open_below(directory, "upper"), open_below(directory, "work")};
}

os::Fd RunDirectory::claim(const std::string& place, const std::string& id) {
  const auto directory = root_ / id;
  if (rename((root_ / held_name(place)).c_str(), directory.c_str()) != 0)
    fault("make " + directory.string());
  return os::open_file(directory / "exit", O_WRONLY | O_APPEND | O_NOFOLLOW);
}

void RunDirectory::note_process(const std::string& place, int pid, std::uint64_t started,
                                const std::string& address) {
  const auto text = os::boot_id() + " " + std::to_string(pid) + " " + std::to_string(started) +
                    " " + address + "\n";
  os::replace_file(root_ / held_name(place) / noted, text, 0600);
}

void RunDirectory::complete(const std::string& id) {
  const auto directory = root_ / id;
  if (rename((directory / noted).c_str(), (directory / "state").c_str()) != 0)
    fault("note the state of " + directory.string());
}

std::vector<std::string> RunDirectory::ids() const {
  std::vector<std::string> result;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(root_, missing)) {
    auto name = entry.path().filename().string();
    if (is_uuid(name)) result.push_back(std::move(name));
  }
  return result;
}

bool RunDirectory::knows(const std::string& id) const {
  std::error_code missing;
  return std::filesystem::exists(root_ / id, missing);
}

std::optional<Running> RunDirectory::state(const std::string& id) const {
  const auto text = os::read_file(root_ / id / "state", 4096);
  if (!text) return std::nullopt;
  const auto fields = text::split(text::trim(*text), ' ');
  if (fields.size() != 4 || fields[0] != os::boot_id()) return std::nullopt;
  const auto pid = text::number(fields[1]);
  const auto started = text::number(fields[2]);
  if (!pid || !started || *pid <= 1) return std::nullopt;
  return Running{id, static_cast<int>(*pid), static_cast<std::uint64_t>(*started),
                 std::string(fields[3])};
}

std::optional<Running> RunDirectory::running(const std::string& id) const {
  auto found = state(id);
  if (found && os::start_time(found->init_pid) != found->started) found.reset();
  return found;
}

std::optional<Exit> RunDirectory::exit_of(const std::string& id) const {
  const auto text = os::read_file(root_ / id / "exit", 64);
  if (!text || !text->ends_with('\n')) return std::nullopt;
  const auto [how, value] = text::split_once(text::trim(*text), ' ');
  const auto number = text::number(value);
  if (!number || *number < 0 || *number > 255) return std::nullopt;
  const auto small = static_cast<int>(*number);
  if (how == "signal") return Exit{128 + small, small};
  if (how == "exit") return Exit{small, 0};
  return std::nullopt;
}

std::string RunDirectory::place_of(const std::string& id) const {
  std::error_code missing;
  const auto place = std::filesystem::read_symlink(root_ / id / "place", missing).string();
  if (is_uuid(place)) return place;
  // A sandbox that an earlier version of this program made has its groups by its own id.
  return std::filesystem::exists(root_ / id, missing) ? id : "";
}

std::vector<std::string> RunDirectory::held() const {
  std::vector<std::string> places;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(root_, missing)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with(held_prefix)) places.push_back(name.substr(held_prefix.size()));
  }
  return places;
}

void RunDirectory::hide(const std::string& id) {
  const auto away = root_ / (std::string(hidden_prefix) + random_hex(8));
  if (rename((root_ / id).c_str(), away.c_str()) != 0 && errno != ENOENT)
    fault("move away " + (root_ / id).string());
}

void RunDirectory::remove_held(const std::string& place) {
  const auto directory = os::open_file(root_, O_RDONLY | O_DIRECTORY);
  os::remove_tree(directory.get(), held_name(place));
}

std::vector<std::string> RunDirectory::hidden() const {
  std::vector<std::string> names;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(root_, missing)) {
    auto name = entry.path().filename().string();
    if (name.starts_with(hidden_prefix)) names.push_back(std::move(name));
  }
  return names;
}

void RunDirectory::remove_hidden() {
  const auto directory = os::open_file(root_, O_RDONLY | O_DIRECTORY);
  for (const auto& name : hidden()) os::remove_tree(directory.get(), name);
}

}  // namespace renga::sandbox
