// Dyno sizes: Heroku's names and shapes, for one machine.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sandbox/spec.h"

namespace renga::dynos {

struct Size {
  std::string id;    // a fixed UUID
  std::string name;  // "Standard-1X"
  double memory_gb = 0.5;
  int compute = 1;  // CPU share, relative to Standard-1X
  bool dedicated = false;
  int pids = 256;  // processes and threads
  sandbox::Limits limits() const;
};

std::span<const Size> sizes();
// By id or name, whatever the case.
const Size* find_size(std::string_view identity);
const Size& default_size();

}  // namespace renga::dynos
