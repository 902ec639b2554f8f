// Java: the runtime of Debian's that brokers run on.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "sandbox/spec.h"

namespace renga::kafka {

struct Java {
  std::filesystem::path program;
  // Where Debian has its settings: sandboxes have an /etc of their own.
  std::vector<sandbox::Mount> mounts;

  // The newest that Kafka runs on (17 or later), or nothing.
  static std::optional<Java> find();
};

}  // namespace renga::kafka
