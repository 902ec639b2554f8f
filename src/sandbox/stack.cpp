#include "sandbox/stack.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/fault.h"
#include "os/file.h"
#include "os/mount.h"
#include "sandbox/common.h"

namespace renga::sandbox {
namespace {

// Links into /usr on systems that have merged it, directories on others.
constexpr std::array top_level = {"bin", "sbin", "lib", "lib32", "lib64", "libx32"};

// Nothing that tells of the host, its users or its services, and nothing with a password in it.
constexpr std::array<std::string_view, 26> etc_names = {"alternatives",
                                                        "ca-certificates",
                                                        "ca-certificates.conf",
                                                        "debian_version",
                                                        "fonts",
                                                        "gai.conf",
                                                        "host.conf",
                                                        "inputrc",
                                                        "ld.so.cache",
                                                        "ld.so.conf",
                                                        "ld.so.conf.d",
                                                        "locale.alias",
                                                        "localtime",
                                                        "lsb-release",
                                                        "magic",
                                                        "maven",
                                                        "mime.types",
                                                        "os-release",
                                                        "perl",
                                                        "php",
                                                        "pki",
                                                        "protocols",
                                                        "rpc",
                                                        "services",
                                                        "ssl",
                                                        "timezone"};
constexpr std::array<std::string_view, 5> etc_prefixes = {"python3", "java-", ".java",
                                                          "ImageMagick-", "ruby"};

// Of a stack that was installed, for buildpacks that fetch Debian's packages; a host's own are its
// operator's. Installed stacks have no password in theirs.
constexpr std::array packages_of_stack = {"etc/apt", "etc/dpkg", "var/lib/dpkg"};

bool is_needed(std::string_view name) {
  return std::ranges::find(etc_names, name) != etc_names.end() ||
         std::ranges::any_of(etc_prefixes,
                             [name](std::string_view prefix) { return name.starts_with(prefix); });
}

std::filesystem::path root_of(const std::string& stack) { return stack == "host" ? "/" : stack; }

constexpr os::MountAttributes closed = {.read_only = true, .no_suid = true, .no_dev = true};

}  // namespace

std::string stack_state(const std::string& stack) {
  const auto root = root_of(stack);
  std::string state;
  // A directory's time of modification is that of the last name made, removed or renamed in it.
  for (const auto& path : {root, root / "etc"}) {
    struct stat info = {};
    if (stat(path.c_str(), &info) != 0) continue;
    for (const auto part : {static_cast<long>(info.st_dev), static_cast<long>(info.st_ino),
                            info.st_mtim.tv_sec, info.st_mtim.tv_nsec})
      state += std::to_string(part) + " ";
  }
  return state;
}

Stack::Stack(const std::string& name) : root_(root_of(name)) {
  add("usr");
  if (entries_.empty()) fault(ENOENT, "find /usr in the stack " + name);
  for (const auto* path : top_level) add(path);
  for (const auto& entry : std::filesystem::directory_iterator(root_ / "etc")) {
    const auto file = entry.path().filename().string();
    if (is_needed(file)) add("etc/" + file);
  }
  if (name != "host")
    for (const auto* path : packages_of_stack) add(path);
  share_etc();
}

void Stack::add(const std::string& path) {
  const auto source = root_ / path;
  struct stat info;
  if (lstat(source.c_str(), &info) != 0) return;
  if (S_ISLNK(info.st_mode))
    entries_.push_back({path, std::filesystem::read_symlink(source).string()});
  else if (S_ISDIR(info.st_mode) || S_ISREG(info.st_mode))
    entries_.push_back({path, "", S_ISDIR(info.st_mode), (info.st_mode & S_IROTH) != 0});
}

// Directories stay mounts of the stack's, below it: what is in them is much, and changes without a
// sign that stack_state() knows.
void Stack::share_etc() {
  const auto etc = os::new_file_system("tmpfs", {{"mode", "755"}}, {});
  try {
    etc_ = os::clone_mount(etc.get(), "", closed);
  } catch (const std::system_error&) {
    return;
  }
  write_common_etc(etc);
  std::erase_if(entries_, [&](const Entry& entry) {
    if (!entry.path.starts_with("etc/")) return false;
    const auto name = entry.path.substr(4);
    if (!entry.link_to.empty())
      make_link(etc, entry.link_to, name);
    else if (entry.directory) {
      make_directory(etc, name.c_str());
      os::attach_mount(os::clone_mount(AT_FDCWD, (root_ / entry.path).string(), closed).get(),
                       os::open_inside(etc_.get(), name, O_PATH | O_DIRECTORY).get(),
                       "/" + entry.path);
    } else if (const auto text = os::read_file(root_ / entry.path); text && entry.for_all)
      make_file(etc, name, *text);
    return true;
  });
}

std::vector<StackPart> Stack::parts(int id_map) const {
  auto attributes = closed;
  attributes.user_namespace = id_map;
  std::vector<StackPart> parts;
  if (etc_) parts.push_back({"etc", os::clone_mounts(etc_.get(), attributes), "", true});
  for (const auto& [path, link_to, directory, for_all] : entries_) {
    parts.push_back({path, {}, link_to, directory});
    if (link_to.empty())
      parts.back().mount = os::clone_mount(AT_FDCWD, (root_ / path).string(), attributes);
  }
  return parts;
}

}  // namespace renga::sandbox
