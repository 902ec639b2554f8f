// Uploads: tarballs on their way to a build or a slug, each in a file of its own, gone after a day.
// What is sent is written to the disk piece by piece and never held in memory. Safe from any
// thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/client.h"

namespace renga::api {

class Uploads {
 public:
  static constexpr std::int64_t size_limit = 1LL << 30;  // bytes
  static constexpr std::chrono::hours kept{24};

  // `reach`: where fetch() may go, on a stranger's word.
  Uploads(std::filesystem::path directory, http::Reach reach)
      : directory_(std::move(directory)), reach_(reach) {}

  // The next piece of what is received; empty at the end.
  using Read = std::function<std::string()>;

  // Writes what `read` gives to the upload's file, synced; replaces an earlier one.
  // Kind::too_large.
  Result<std::filesystem::path> receive(std::string_view id, const Read& read);
  // Downloads it instead, following redirects; tried again where the other side fails.
  // Kind::invalid: no such address, one out of reach, or no success there.
  Result<std::filesystem::path> fetch(std::string_view id, const std::string& url);
  // Kind::not_found: nothing was uploaded, or it is gone.
  Result<std::filesystem::path> find(std::string_view id) const;
  void remove(std::string_view id);

 private:
  void sweep();
  std::filesystem::path directory_;
  http::Reach reach_;
};

}  // namespace renga::api
