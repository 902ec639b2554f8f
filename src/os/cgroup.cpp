#include "os/cgroup.h"

#include <algorithm>

#include "base/text.h"
#include "os/file.h"

namespace renga::os {

bool CgroupTrees::v2_controls(std::string_view controller) const {
  if (!v2) return false;
  const auto list = read_file(*v2 / "cgroup.controllers").value_or("");
  const auto names = text::split(text::trim(list), ' ');
  return std::ranges::find(names, controller) != names.end();
}

CgroupTrees CgroupTrees::find() { return parse(read_file("/proc/self/mountinfo").value_or("")); }

CgroupTrees CgroupTrees::parse(std::string_view mountinfo) {
  CgroupTrees trees;
  for (const auto line : text::lines(mountinfo)) {
    // "30 23 0:26 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu", see proc(5).
    const auto dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    const auto before = text::split(line.substr(0, dash), ' ');
    const auto after = text::split(line.substr(dash + 3), ' ');
    if (before.size() < 5 || after.size() < 3) continue;
    const std::filesystem::path where(before[4]);
    if (after[0] == "cgroup2" && !trees.v2) trees.v2 = where;
    if (after[0] != "cgroup") continue;
    for (const auto option : text::split(after[2], ',')) trees.v1.emplace(option, where);
  }
  return trees;
}

}  // namespace renga::os
