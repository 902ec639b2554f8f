// Jars: Apache Kafka's programs. They are fetched when the first cluster is asked for, from Maven
// Central or where RENGA_MAVEN_REPOSITORY says, and each must have the SHA-256 that jars.txt has:
// so it does not matter whom they come from. Files that are there already, with the right digest,
// are taken as they are: that is how a machine without a network gets them.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"

namespace renga::kafka {

class Jars {
 public:
  // "4.1.2"
  static std::string version();

  explicit Jars(const std::filesystem::path& directory);
  ~Jars();
  Jars(const Jars&) = delete;
  Jars& operator=(const Jars&) = delete;

  // Where they are once they are there.
  const std::filesystem::path& directory() const;
  // Begins to fetch what is missing, and waits for that. False: it still goes on. Kind::unavailable
  // says why it cannot be done; the next call tries again.
  Result<bool> ready(std::chrono::milliseconds wait);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::kafka
