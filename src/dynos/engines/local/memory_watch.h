// MemoryWatch: hears from the kernel which dynos want more memory than they may have. Who was heard
// is not heard again until listen(), so that one that is always short of memory costs little.
//
// Belongs to one thread.
#pragma once

#include <map>
#include <vector>

#include "dynos/dyno.h"
#include "os/fd.h"
#include "sandbox/freezer.h"

namespace renga::dynos {

class MemoryWatch {
 public:
  MemoryWatch();

  // Readable: call heard().
  int descriptor() const { return all_.get(); }
  void watch(const Id<Dyno>& dyno, sandbox::MemoryEvents events);
  void forget(const Id<Dyno>& dyno) { watched_.erase(dyno); }
  std::vector<Id<Dyno>> heard();
  void listen(const Id<Dyno>& dyno);

 private:
  os::Fd all_;  // an epoll(7)
  std::map<Id<Dyno>, sandbox::MemoryEvents> watched_;
};

}  // namespace renga::dynos
