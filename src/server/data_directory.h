// DataDirectory: where one server keeps everything, and the lock that keeps a second server out of
// it. The layout is in docs/data-directory.md.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "os/fd.h"

namespace renga::server {

class DataDirectory {
 public:
  // Makes what is missing (mode 0700 but for the root and `run`, which others may pass through to
  // ca.pem). Kind::conflict: another server holds it. Throws when it cannot be made.
  static Result<DataDirectory> open(const std::filesystem::path& root);
  // The process id of the server that holds it, or 0.
  static int holder(const std::filesystem::path& root);

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path operator/(std::string_view name) const { return root_ / name; }

  // Short and unique on this host, from the directory's path: names cgroups and veths.
  std::string server_name() const;

 private:
  DataDirectory(std::filesystem::path root, os::Fd lock)
      : root_(std::move(root)), lock_(std::move(lock)) {}
  std::filesystem::path root_;
  os::Fd lock_;
};

// Replaces a file as a whole: written beside it, synced, renamed.
void write_file(const std::filesystem::path& path, std::string_view content, unsigned mode);
// The whole file, or nothing when it is not there.
std::string read_file(const std::filesystem::path& path);

}  // namespace renga::server
