// Mounts by file descriptor (fsopen(2), open_tree(2), mount_setattr(2), move_mount(2)): a mount is
// made detached, given its attributes, and attached to a directory that was opened before, so that
// no path is looked up twice. All throw std::system_error.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "os/fd.h"

namespace renga::os {

struct MountAttributes {
  bool read_only = false;
  bool no_suid = false;
  bool no_dev = false;
  bool no_exec = false;
  int user_namespace =
      -1;  // idmapped by this one's uid_map; only for a mount that is still detached
};

// A detached mount of what `path` (seen from `directory`) is, without the mounts below it.
Fd clone_mount(int directory, const std::string& path, const MountAttributes& attributes);
// The same of a mount with all that are below it, each of which is given the attributes.
Fd clone_mounts(int mount, const MountAttributes& attributes);
void set_attributes(int mount, const MountAttributes& attributes);

// A new, detached file system: proc, sysfs, tmpfs, devpts.
using MountOptions = std::vector<std::pair<std::string, std::string>>;
Fd new_file_system(const std::string& type, const MountOptions& options,
                   const MountAttributes& attributes);
// Whether the kernel has it, or a module of it that it could load.
bool has_file_system(const std::string& type);
// Changes options of the file system that is mounted on what `mount`, opened with O_PATH, is.
void reconfigure(int mount, const MountOptions& options);
// An overlay of a read-only mount and two directories, by their descriptors. It has no more room on
// the disk than who owns `upper`.
Fd new_overlay(int lower, int upper, int work, const MountAttributes& attributes);
// What an overlay of these two showed last: read-only and detached, for when it is gone itself. A
// file has the inode number and times of whichever of the two it lies in.
Fd view_of_overlay(int lower, int upper);

// Puts a detached mount onto what `target`, opened with O_PATH, is.
void attach_mount(int mount, int target, const std::string& what);

// Opens a path below `root` without following any link; empty when it is not there.
Fd open_inside(int root, const std::string& path, int flags);

}  // namespace renga::os
