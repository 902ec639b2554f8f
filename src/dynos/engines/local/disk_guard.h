// DiskGuard: looks after what dynos write to the disk (docs/adr/0018). One that has more there than
// its size may is named, once, with the reason: the owner ends it. When the disk is nearly full
// whoever filled it, that is the dyno with the most on it, if that is worth it; the next one not
// before the disk has got that room back.
//
// Has a thread, since counting takes as long as somebody has made it take. All calls from any
// thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "base/locked.h"
#include "os/disk_use.h"

namespace renga::dynos {

struct DiskGuardNeeds {
  std::filesystem::path directory;  // on the disk that is looked after
  // Bytes that a dyno has there; counting may stop past `enough`.
  std::function<std::int64_t(const std::string& dyno, std::int64_t enough)> written;
  // On the guard's thread. False: it cannot be dealt with now, and is named again.
  std::function<bool(const std::string& dyno, const std::string& why)> over;
  std::function<bool()> nearly_full;
  // What ended dynos had there is still being removed.
  std::function<bool()> removing;
  std::chrono::seconds between_rooms{5};
};

class DiskGuard {
 public:
  explicit DiskGuard(DiskGuardNeeds needs);
  ~DiskGuard();
  DiskGuard(const DiskGuard&) = delete;
  DiskGuard& operator=(const DiskGuard&) = delete;

  // What a size may have, and of a small disk a quarter.
  void watch(const std::string& dyno, const std::string& size, std::int64_t bytes);
  void forget(const std::string& dyno);

 private:
  struct Watched;
  struct Shared {
    bool stop = false;
    std::map<std::string, std::shared_ptr<Watched>> dynos;
  };

  void work();
  void look(const std::map<std::string, std::shared_ptr<Watched>>& dynos);
  void make_room(const std::map<std::string, std::shared_ptr<Watched>>& dynos);

  const DiskGuardNeeds needs_;
  // The thread's:
  std::chrono::steady_clock::time_point next_room_ = {}, room_by_ = {};
  Locked<Shared> shared_;
  std::condition_variable changed_;
  std::thread thread_;
};

}  // namespace renga::dynos
