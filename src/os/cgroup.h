// Where the control groups are on this host: one v2 tree, a v1 tree for each controller, or both
// (hybrid: controllers on v1, and a v2 tree without them, which still kills, freezes and counts).
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace renga::os {

struct CgroupTrees {
  std::optional<std::filesystem::path> v2;
  std::map<std::string, std::filesystem::path> v1;  // by controller: memory, cpu, pids

  bool v2_controls(std::string_view controller) const;
  static CgroupTrees find();
  // From the text of /proc/self/mountinfo.
  static CgroupTrees parse(std::string_view mountinfo);
};

}  // namespace renga::os
