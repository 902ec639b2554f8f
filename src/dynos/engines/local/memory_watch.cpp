#include "dynos/engines/local/memory_watch.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>

#include "base/fault.h"

namespace renga::dynos {
namespace {

constexpr int most_at_a_time = 64;  // the rest is heard next time

using Watched = std::map<Id<Dyno>, sandbox::MemoryEvents>::value_type;

void control(const os::Fd& all, int operation, Watched& watched) {
  auto& [dyno, of] = watched;
  epoll_event wanted = {};
  wanted.events = static_cast<std::uint32_t>(of.events) | EPOLLONESHOT;
  wanted.data.ptr = &watched;
  if (::epoll_ctl(all.get(), operation, of.fd.get(), &wanted) != 0)
    fault("watch the memory of dyno " + dyno.value);
}

// What has happened is seen, so that the next is news. An eventfd is at no place, a file of the
// kernel's is read anew from its beginning.
void read_through(int fd) {
  std::array<char, 512> bytes;
  ::lseek(fd, 0, SEEK_SET);
  [[maybe_unused]] const auto count = ::read(fd, bytes.data(), bytes.size());
}

}  // namespace

MemoryWatch::MemoryWatch() : all_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!all_) fault("epoll");
}

void MemoryWatch::watch(const Id<Dyno>& dyno, sandbox::MemoryEvents events) {
  forget(dyno);
  if (!events.fd) return;
  read_through(events.fd.get());
  control(all_, EPOLL_CTL_ADD, *watched_.emplace(dyno, std::move(events)).first);
}

std::vector<Id<Dyno>> MemoryWatch::heard() {
  std::array<epoll_event, most_at_a_time> ready;
  const int count = ::epoll_wait(all_.get(), ready.data(), most_at_a_time, 0);
  std::vector<Id<Dyno>> dynos;
  for (int i = 0; i < count; ++i)
    dynos.push_back(
        static_cast<const Watched*>(ready[static_cast<std::size_t>(i)].data.ptr)->first);
  return dynos;
}

void MemoryWatch::listen(const Id<Dyno>& dyno) {
  const auto found = watched_.find(dyno);
  if (found == watched_.end()) return;
  read_through(found->second.fd.get());
  control(all_, EPOLL_CTL_MOD, *found);
}

}  // namespace renga::dynos
