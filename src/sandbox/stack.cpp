#include "sandbox/stack.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "base/fault.h"
#include "os/mount.h"

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

bool is_needed(std::string_view name) {
  return std::ranges::find(etc_names, name) != etc_names.end() ||
         std::ranges::any_of(etc_prefixes,
                             [name](std::string_view prefix) { return name.starts_with(prefix); });
}

void add(std::vector<StackPart>& parts, const std::filesystem::path& root, const std::string& path,
         int id_map) {
  const auto source = root / path;
  struct stat info;
  if (lstat(source.c_str(), &info) != 0) return;
  StackPart part;
  part.target = path;
  if (S_ISLNK(info.st_mode)) {
    part.link_to = std::filesystem::read_symlink(source).string();
  } else if (S_ISDIR(info.st_mode) || S_ISREG(info.st_mode)) {
    part.directory = S_ISDIR(info.st_mode);
    part.mount = os::clone_mount(
        AT_FDCWD, source.string(),
        {.read_only = true, .no_suid = true, .no_dev = true, .user_namespace = id_map});
  } else {
    return;
  }
  parts.push_back(std::move(part));
}

}  // namespace

std::string stack_state(const std::string& stack) {
  const std::filesystem::path root = stack == "host" ? "/" : stack;
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

std::vector<StackPart> stack_parts(const std::string& stack, int id_map) {
  const std::filesystem::path root = stack == "host" ? "/" : stack;
  std::vector<StackPart> parts;
  add(parts, root, "usr", id_map);
  if (parts.empty()) fault(ENOENT, "find /usr in the stack " + stack);
  for (const auto* name : top_level) add(parts, root, name, id_map);
  for (const auto& entry : std::filesystem::directory_iterator(root / "etc")) {
    const auto name = entry.path().filename().string();
    if (is_needed(name)) add(parts, root, "etc/" + name, id_map);
  }
  return parts;
}

}  // namespace renga::sandbox
