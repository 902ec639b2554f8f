// PrivateMounts: where the spawner attaches what it makes other mounts of. Before Linux 6.15 the
// kernel clones, and makes overlays of, only what is attached in the mount namespace of who asks.
// So the spawner has one of its own: the host never sees these mounts, and they end with it.
#pragma once

#include <string>

#include "os/fd.h"

namespace renga::sandbox {

class PrivateMounts {
 public:
  // Of the calling process, which has one thread.
  PrivateMounts();

  // Attaches a detached mount, which stays usable by its descriptor, and by others when that is
  // closed, until it is detached under the name that this answers.
  std::string attach(const os::Fd& mount);
  void detach(const std::string& name) const;

  // A mount that is attached while this lives.
  class Attached {
   public:
    Attached(PrivateMounts& mounts, const os::Fd& mount)
        : mounts_(mounts), name_(mounts.attach(mount)) {}
    ~Attached();
    Attached(const Attached&) = delete;
    Attached& operator=(const Attached&) = delete;

   private:
    const PrivateMounts& mounts_;
    const std::string name_;
  };

 private:
  int last_ = 0;
};

}  // namespace renga::sandbox
