#include "local/watch.h"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>

#include "base/fault.h"

namespace renga::local {
namespace {

constexpr std::uint32_t events =
    IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR;

}  // namespace

bool Watch::is_ignored(std::string_view name) {
  constexpr std::string_view names[] = {
      ".git", ".hg",  ".svn",        "node_modules",  "__pycache__", ".venv",
      "venv", ".tox", ".mypy_cache", ".pytest_cache", ".ruff_cache", "log",
      "logs", "tmp",  ".DS_Store",   "4913"};
  constexpr std::string_view ends[] = {
      ".log", ".pyc",     ".swp",         ".swx",         ".swo",
      "~",    ".sqlite3", ".sqlite3-wal", ".sqlite3-shm", ".sqlite3-journal",
      ".pid"};
  return std::ranges::find(names, name) != std::end(names) ||
         std::ranges::any_of(ends, [&](auto end) { return name.ends_with(end); });
}

Result<Watch> Watch::of(const std::filesystem::path& directory) {
  Watch watch;
  watch.fd_ = os::Fd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!watch.fd_) fault("watch files");
  TRY(watch.add(directory));
  return watch;
}

Result<void> Watch::add(const std::filesystem::path& directory) {
  const int id = inotify_add_watch(fd_.get(), directory.c_str(), events);
  if (id < 0) {
    if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) return {};  // gone, or not ours
    if (errno == ENOSPC)
      return fail(Kind::too_large,
                  fmt::format("{} has more directories than the kernel lets one user watch. Raise "
                              "the sysctl fs.inotify.max_user_watches.",
                              directory.string()));
    fault("watch " + directory.string());
  }
  directories_[id] = directory;
  if (directories_.size() > most_directories)
    return fail(Kind::too_large, fmt::format("--watch takes at most {} directories, and there are "
                                             "more. Run it in a smaller one.",
                                             most_directories));
  std::error_code skipped;
  for (const auto& entry : std::filesystem::directory_iterator(directory, skipped)) {
    std::error_code unknown;
    if (entry.is_directory(unknown) && !entry.is_symlink(unknown) &&
        !is_ignored(entry.path().filename().native()))
      TRY(add(entry.path()));
  }
  return {};
}

std::string Watch::changed() {
  std::string last;
  alignas(inotify_event) char buffer[16384];
  for (;;) {
    const auto count = ::read(fd_.get(), buffer, sizeof buffer);
    if (count <= 0) return last;
    for (std::size_t at = 0; at < static_cast<std::size_t>(count);) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      at += sizeof(inotify_event) + event->len;
      if (event->mask & IN_Q_OVERFLOW) last = "many files";
      if (event->mask & IN_IGNORED) directories_.erase(event->wd);
      const std::string name = event->len > 0 ? event->name : "";
      const auto known = directories_.find(event->wd);
      if (name.empty() || known == directories_.end() || is_ignored(name)) continue;
      const auto path = known->second / name;
      if (event->mask & IN_ISDIR) {
        // What a checkout writes into a new directory before it is watched goes unseen; its own
        // appearance counts.
        if (event->mask & (IN_CREATE | IN_MOVED_TO)) (void)add(path);
        last = path.string();
        continue;
      }
      // A file that was made is told again when it is closed.
      if (!(event->mask & IN_CREATE)) last = path.string();
    }
  }
}

}  // namespace renga::local
