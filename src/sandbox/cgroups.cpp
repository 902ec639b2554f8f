#include "sandbox/cgroups.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/fault.h"
#include "base/text.h"
#include "os/file.h"

namespace renga::sandbox {
namespace {

constexpr const char* controllers[] = {"memory", "cpu", "pids"};

// Set ahead of a start, since most want them. The CPU's weight is the kernel's own for a new group.
constexpr Limits usual;

void make_directory(const std::filesystem::path& path) {
  if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) fault("make " + path.string());
}

// The number after `key` in the kernel's "key value" lines.
std::int64_t field(const std::optional<std::string>& text, std::string_view key) {
  if (!text) return 0;
  for (const auto line : text::lines(*text)) {
    const auto [name, value] = text::split_once(line, ' ');
    if (name == key) return text::number(value).value_or(0);
  }
  return 0;
}

std::optional<std::int64_t> single(const std::filesystem::path& path) {
  const auto text = os::read_file(path);
  return text ? text::number(text::trim(*text)) : std::nullopt;
}

std::int64_t swapped(const std::filesystem::path& directory, bool v1,
                     const std::optional<std::string>& stat) {
  return v1 ? field(stat, "total_swap") : single(directory / "memory.swap.current").value_or(0);
}

}  // namespace

Cgroups::Cgroups(os::CgroupTrees trees, const std::string& server_name)
    : trees_(std::move(trees)), directory_("renga-" + server_name) {
  for (const auto* controller : controllers)
    if (trees_.v2_controls(controller)) trees_.v1.erase(controller);
}

std::optional<std::string> Cgroups::unsupported(const os::CgroupTrees& trees) {
  for (const auto* controller : controllers)
    if (!trees.v2_controls(controller) && !trees.v1.contains(controller))
      return "There is no " + std::string(controller) +
             " control group controller. Mount cgroup2 at /sys/fs/cgroup, or boot with it enabled.";
  return std::nullopt;
}

std::filesystem::path Cgroups::limited_by(const std::string& controller) const {
  const auto found = trees_.v1.find(controller);
  return (found == trees_.v1.end() ? *trees_.v2 : found->second) / directory_;
}

std::vector<std::filesystem::path> Cgroups::all() const {
  std::vector<std::filesystem::path> result;
  if (trees_.v2) result.push_back(*trees_.v2 / directory_);
  for (const auto* controller : controllers) {
    auto path = limited_by(controller);
    // Controllers may share a tree ("cpu,cpuacct").
    if (std::ranges::find(result, path) == result.end()) result.push_back(std::move(path));
  }
  if (freezes_on_v1()) result.push_back(limited_by("freezer"));
  return result;
}

void Cgroups::prepare() {
  for (const auto& path : all()) make_directory(path);
  if (!trees_.v2) return;
  std::string wanted;
  for (const auto* controller : controllers)
    if (!trees_.v1.contains(controller))
      wanted += (wanted.empty() ? "+" : " +") + std::string(controller);
  if (wanted.empty()) return;
  // From the top down: a directory has the controllers that its parent hands on.
  os::write_control(*trees_.v2 / "cgroup.subtree_control", wanted);
  os::write_control(*trees_.v2 / directory_ / "cgroup.subtree_control", wanted);
}

void Cgroups::leave() const {
  for (const auto& path : all())
    if (rmdir(path.c_str()) != 0 && errno != ENOENT && errno != EBUSY && errno != ENOTEMPTY)
      fault("remove the control group " + path.string());
}

Cgroups::Group Cgroups::create(const std::string& place) {
  for (const auto& path : all()) make_directory(path / place);
  limit_memory(place, usual.memory_bytes);
  os::write_control(limited_by("pids") / place / "pids.max", std::to_string(usual.pids));
  return open(place);
}

void Cgroups::limit_memory(const std::string& place, std::int64_t bytes) {
  const auto directory = limited_by("memory") / place;
  const auto text = std::to_string(bytes);
  if (!trees_.v1.contains("memory")) {
    os::write_control(directory / "memory.max", text);
    const auto swap = directory / "memory.swap.max";
    if (access(swap.c_str(), W_OK) == 0) os::write_control(swap, text);
    return;
  }
  // Memory and swap together. Not on kernels without swap accounting. It may never be the lower
  // one, so that it is the first to be raised.
  const auto with_swap = directory / "memory.memsw.limit_in_bytes";
  const bool limits_swap = access(with_swap.c_str(), W_OK) == 0;
  const bool raised = bytes > usual.memory_bytes;
  const auto together = std::to_string(2 * bytes);
  if (limits_swap && raised) os::write_control(with_swap, together);
  os::write_control(directory / "memory.limit_in_bytes", text);
  if (limits_swap && !raised) os::write_control(with_swap, together);
}

void Cgroups::limit(const std::string& place, const Limits& limits) {
  if (limits.memory_bytes != usual.memory_bytes) limit_memory(place, limits.memory_bytes);
  const auto cpu = limited_by("cpu") / place;
  if (limits.cpu_weight != usual.cpu_weight && trees_.v1.contains("cpu"))
    os::write_control(cpu / "cpu.shares",
                      std::to_string(std::max(2, limits.cpu_weight * 1024 / 100)));
  else if (limits.cpu_weight != usual.cpu_weight)
    os::write_control(cpu / "cpu.weight", std::to_string(limits.cpu_weight));
  if (limits.pids != usual.pids)
    os::write_control(limited_by("pids") / place / "pids.max", std::to_string(limits.pids));
}

Cgroups::Group Cgroups::open(const std::string& place) const {
  Group group;
  for (const auto& path : all()) {
    if (trees_.v2 && path == *trees_.v2 / directory_)
      group.v2 = os::open_file(path / place, O_RDONLY | O_DIRECTORY);
    else
      group.attach.push_back(os::open_file(path / place / "cgroup.procs", O_WRONLY));
  }
  return group;
}

std::vector<pid_t> Cgroups::processes(const std::string& place) const {
  if (place.empty()) return {};
  const auto text = os::read_file(all().front() / place / "cgroup.procs");
  std::vector<pid_t> pids;
  if (!text) return pids;
  for (const auto line : text::lines(*text))
    if (const auto pid = text::number(line); pid && *pid > 0)
      pids.push_back(static_cast<pid_t>(*pid));
  return pids;
}

bool Cgroups::holds(const std::string& place, pid_t pid) const {
  const auto text = os::read_file("/proc/" + std::to_string(pid) + "/cgroup");
  return text && text->find("/" + directory_ + "/" + place) != std::string::npos;
}

void Cgroups::kill(const std::string& place) const {
  if (!trees_.v2 || place.empty()) return;
  // Since Linux 5.14. Elsewhere the end of renga-init ends all that is in its pid namespace.
  const auto file = *trees_.v2 / directory_ / place / "cgroup.kill";
  if (access(file.c_str(), W_OK) == 0) os::write_control(file, "1");
}

bool Cgroups::freeze(const std::string& place, bool frozen) const {
  if (place.empty()) return false;
  if (trees_.v2) {
    const auto file = *trees_.v2 / directory_ / place / "cgroup.freeze";
    if (access(file.c_str(), W_OK) != 0) return false;  // before Linux 5.2
    os::write_control(file, frozen ? "1" : "0");
    return true;
  }
  if (!freezes_on_v1()) return false;
  os::write_control(limited_by("freezer") / place / "freezer.state", frozen ? "FROZEN" : "THAWED");
  return true;
}

bool Cgroups::frozen(const std::string& place) const {
  if (place.empty()) return false;
  if (trees_.v2) return single(*trees_.v2 / directory_ / place / "cgroup.freeze") == 1;
  if (!freezes_on_v1()) return false;
  const auto state = os::read_file(limited_by("freezer") / place / "freezer.state");
  return state && text::trim(*state) != "THAWED";
}

bool Cgroups::remove(const std::string& place) const {
  if (place.empty()) return true;
  bool gone = true;
  for (const auto& path : all())
    if (rmdir((path / place).c_str()) != 0 && errno != ENOENT) {
      if (errno != EBUSY) fault("remove " + (path / place).string());
      gone = false;
    }
  return gone;
}

std::optional<Spawner::Memory> Cgroups::memory(const std::string& place) const {
  if (place.empty()) return std::nullopt;
  const auto directory = limited_by("memory") / place;
  const bool v1 = trees_.v1.contains("memory");
  const auto used = single(directory / (v1 ? "memory.usage_in_bytes" : "memory.current"));
  if (!used) return std::nullopt;
  const auto stat = os::read_file(directory / "memory.stat");
  // Cached files that the kernel can drop at once are not the app's.
  const auto cached = field(stat, v1 ? "total_inactive_file" : "inactive_file");
  const auto kills =
      field(os::read_file(directory / (v1 ? "memory.oom_control" : "memory.events")), "oom_kill");
  return Spawner::Memory{std::max<std::int64_t>(0, *used - cached) + swapped(directory, v1, stat),
                         kills};
}

MemoryEvents Cgroups::memory_events(const std::string& place) const {
  if (place.empty()) return {};
  const auto directory = limited_by("memory") / place;
  try {
    if (!trees_.v1.contains("memory"))
      return {os::open_file(directory / "memory.events", O_RDONLY), POLLPRI};
    // v1 rings an eventfd, which one write for each kind of news registers. "medium": most of what
    // was looked through for memory could not be dropped. A threshold of memory.usage_in_bytes
    // would tell of files that are, and takes the kernel ten milliseconds to set.
    MemoryEvents events{os::Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), POLLIN};
    const auto register_for = [&](const char* name, const char* level) {
      const auto source = os::open_file(directory / name, O_RDONLY);
      os::write_control(
          directory / "cgroup.event_control",
          std::to_string(events.fd.get()) + " " + std::to_string(source.get()) + level);
    };
    register_for("memory.pressure_level", " medium,local");
    register_for("memory.oom_control", "");
    return events;
  } catch (const std::system_error&) {
    return {};  // it is gone, or a kernel without
  }
}

std::optional<Usage> Cgroups::usage(const std::string& place) const {
  if (place.empty()) return std::nullopt;
  const auto directory = limited_by("memory") / place;
  const bool v1 = trees_.v1.contains("memory");
  const auto stat = os::read_file(directory / "memory.stat");
  if (!stat) return std::nullopt;
  Usage usage;
  usage.rss_bytes = field(stat, v1 ? "total_rss" : "anon");
  usage.cache_bytes = field(stat, v1 ? "total_cache" : "file");
  usage.swap_bytes = swapped(directory, v1, stat);
  usage.pages_in = field(stat, v1 ? "total_pgpgin" : "pgfault");
  usage.pages_out = field(stat, v1 ? "total_pgpgout" : "pgsteal");

  // The v2 tree counts it whoever has the controller; on v1 its nanoseconds lie beside cpu's.
  usage.cpu_micros =
      trees_.v2 ? field(os::read_file(*trees_.v2 / directory_ / place / "cpu.stat"), "usage_usec")
                : single(limited_by("cpu") / place / "cpuacct.usage").value_or(0) / 1000;

  const auto tasks =
      os::read_file(all().front() / place / (trees_.v2 ? "cgroup.threads" : "tasks")).value_or("");
  for (const auto task : text::lines(tasks)) {
    const auto state = os::read_file("/proc/" + std::string(task) + "/stat", 4096).value_or("");
    const auto name_end = state.rfind(')');
    if (name_end != std::string::npos && name_end + 2 < state.size() && state[name_end + 2] == 'R')
      ++usage.runnable_tasks;
  }
  return usage;
}

}  // namespace renga::sandbox
