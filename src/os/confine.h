// Less reach for a program that reads strangers' bytes as root: no capabilities, none of the host's
// processes and networks, and only the files it is for. For helpers of the platform; a stranger's
// own programs run in sandboxes (sandbox/).
#pragma once

#include <filesystem>
#include <vector>

namespace renga::os {

// Files and trees, by absolute paths; what is not there is left out. Everything below them counts.
struct Reach {
  std::vector<std::filesystem::path> read;   // read, listed, and run as programs
  std::vector<std::filesystem::path> write;  // and changed, made and removed as well
};

// This process and those it starts may open no other file from here on, for good
// (landlock(7)). Descriptors that are open already, and stat(2), are not held back. False where
// files cannot be confined: then nothing has changed. Throws.
bool confine_files(const Reach& reach);
// Not where the kernel has no Landlock: before Linux 5.13, or switched off.
bool files_can_be_confined();

// This process becomes, in all but its files, alone: it goes on as the child of the one that called
// and process 1 of a process namespace of its own, with a /proc that shows no other, no network but
// unix sockets that have a path, and not one capability, though it stays root. The caller's own
// process waits for its end and ends alike: this returns in the child only. Signals that end the
// waiting process end the child. Call it while there is one thread. Throws.
void go_alone();

}  // namespace renga::os
