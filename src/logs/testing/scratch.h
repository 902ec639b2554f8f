// A directory of its own, gone with it.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>

namespace renga::logs {

struct Scratch {
  Scratch() {
    auto name = (std::filesystem::temp_directory_path() / "renga-logs-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::filesystem::path path;
};

}  // namespace renga::logs
