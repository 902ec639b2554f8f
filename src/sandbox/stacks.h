// Stacks: the file systems that apps can be built and run on. `host` is the machine's own /usr and
// always there; the others are installed into a data directory, each with one variant for builds
// and one for dynos. Asks the disk each time, so that what is installed counts at once; safe from
// any thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace renga::sandbox {

enum class StackVariant { build, run };

class Stacks {
 public:
  // DIR/stacks; need not be there.
  explicit Stacks(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // Their names, that of new apps first: one that was installed, else `host`.
  std::vector<std::string> names() const;
  // What Spec::stack takes. Kind::unavailable: it is not installed, and how it would be.
  Result<std::string> root(const std::string& name, StackVariant variant) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace renga::sandbox
