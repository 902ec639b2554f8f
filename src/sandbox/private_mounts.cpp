#include "sandbox/private_mounts.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/fault.h"
#include "base/report.h"
#include "os/file.h"
#include "os/mount.h"
#include "os/namespaces.h"

namespace renga::sandbox {
namespace {

// The same for every server, each of which sees its own mounts there: sandboxes find it in the
// lists of theirs.
const std::filesystem::path directory = "/run/renga/mounts";

}  // namespace

PrivateMounts::PrivateMounts() {
  os::own_mount_namespace();
  std::filesystem::create_directories(directory.parent_path());
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) fault("make " + directory.string());
  const auto places = os::new_file_system("tmpfs", {{"mode", "0700"}}, {.no_suid = true});
  os::attach_mount(places.get(), os::open_file(directory, O_PATH | O_DIRECTORY).get(),
                   directory.string());
}

std::string PrivateMounts::attach(const os::Fd& mount) {
  auto name = std::to_string(++last_);
  const auto place = directory / name;
  if (mkdir(place.c_str(), 0700) != 0) fault("make " + place.string());
  os::attach_mount(mount.get(), os::open_file(place, O_PATH | O_DIRECTORY).get(), place.string());
  return name;
}

void PrivateMounts::detach(const std::string& name) const {
  const auto place = directory / name;
  if (umount2(place.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 || rmdir(place.c_str()) != 0)
    fault("detach " + place.string());
}

PrivateMounts::Attached::~Attached() {
  try {
    mounts_.detach(name_);
  } catch (const std::system_error& fault) {
    report("spawner", std::string("A mount is left until the server ends: ") + fault.what());
  }
}

}  // namespace renga::sandbox
