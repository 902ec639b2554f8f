#include "dynos/engines/local/disk_guard.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/report.h"

namespace renga::dynos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds pause{250};
constexpr seconds longest_unasked{20};
// What a dyno wrote is removed after its end, and that takes as long as there is much of it.
constexpr seconds longest_removal{60};
constexpr std::int64_t worth_it = 16LL << 20;
constexpr int share_of_disk = 4;

}  // namespace

struct DiskGuard::Watched {
  Watched(const DiskGuardNeeds& needs, const std::string& dyno, std::string of_size,
          std::int64_t bytes)
      : size(std::move(of_size)),
        limit(bytes),
        watch(
            needs.directory, bytes,
            [&needs, dyno](std::int64_t enough) { return needs.written(dyno, enough); },
            longest_unasked) {}

  const std::string size;
  const std::int64_t limit;
  os::DiskWatch watch;
  bool named = false;
};

DiskGuard::DiskGuard(DiskGuardNeeds needs)
    : needs_(std::move(needs)), thread_([this] { work(); }) {}

DiskGuard::~DiskGuard() {
  shared_.lock()->stop = true;
  changed_.notify_one();
  thread_.join();
}

void DiskGuard::watch(const std::string& dyno, const std::string& size, std::int64_t bytes) {
  if (const auto disk = os::disk_size(needs_.directory); disk > 0)
    bytes = std::min(bytes, disk / share_of_disk);
  shared_.lock()->dynos[dyno] = std::make_shared<Watched>(needs_, dyno, size, bytes);
  changed_.notify_one();
}

void DiskGuard::forget(const std::string& dyno) { shared_.lock()->dynos.erase(dyno); }

void DiskGuard::work() {
  for (;;) {
    std::map<std::string, std::shared_ptr<Watched>> dynos;
    {
      auto shared = shared_.lock();
      shared.wait(changed_, [&] { return shared->stop || !shared->dynos.empty(); });
      if (shared.wait_for(changed_, pause, [&] { return shared->stop; })) return;
      dynos = shared->dynos;
    }
    try {
      look(dynos);
      if (needs_.nearly_full()) make_room(dynos);
    } catch (const std::exception& trouble) {
      report("dynos", fmt::format("looking at what dynos write: {}", trouble.what()));
    }
  }
}

void DiskGuard::look(const std::map<std::string, std::shared_ptr<Watched>>& dynos) {
  const auto free = os::disk_free(needs_.directory);
  for (const auto& [dyno, watched] : dynos)
    if (!watched->named && watched->watch.over(free))
      watched->named = needs_.over(
          dyno, fmt::format("Error (Disk quota exceeded) -> More than {} MB were written to /app, "
                            "which is all that a {} dyno may have on the disk",
                            watched->limit >> 20, watched->size));
}

void DiskGuard::make_room(const std::map<std::string, std::shared_ptr<Watched>>& dynos) {
  const auto now = std::chrono::steady_clock::now();
  const bool room_comes = needs_.removing() || std::ranges::any_of(dynos, [](const auto& dyno) {
                            return dyno.second->named;
                          });
  if (now < next_room_ || (room_comes && now < room_by_)) return;
  std::int64_t most = 0;
  std::string whose;
  for (const auto& [dyno, watched] : dynos) {
    if (watched->named) continue;
    const auto bytes = needs_.written(dyno, watched->limit);
    if (bytes <= most) continue;
    most = bytes;
    whose = dyno;
  }
  const auto counted = std::chrono::steady_clock::now();
  next_room_ = counted + needs_.between_rooms;
  if (most < worth_it) return;
  room_by_ = counted + longest_removal;
  report("dynos", fmt::format("the disk is nearly full: dyno {} has {} MB of it and is stopped",
                              whose, most >> 20));
  dynos.at(whose)->named = needs_.over(
      whose, fmt::format("Error (Disk full) -> The server's disk is nearly full, and of all dynos "
                         "this one has the most on it: {} MB",
                         most >> 20));
}

}  // namespace renga::dynos
