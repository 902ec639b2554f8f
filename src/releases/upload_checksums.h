// Upload checksums: who makes a slug by hand may say beforehand what its archive's checksum will
// be. The archive is held against it, and it is the slug's checksum from then on for those who
// ask: Terraform uploads again what does not have the checksum of its file. Every call blocks on
// the store; safe from any thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/id.h"
#include "base/result.h"
#include "releases/release.h"
#include "store/database.h"

namespace renga::releases {

class UploadChecksums {
 public:
  explicit UploadChecksums(store::Database& database) : database_(database) {}

  // "SHA256:" and 64 hexadecimal digits; Kind::invalid for anything else.
  static Result<void> check(std::string_view checksum);
  void expect(const Id<Slug>& slug, std::string_view checksum);
  // As it was written, or nothing.
  std::optional<std::string> of(const Id<Slug>& slug);
  // Kind::invalid: the archive has another one than was said.
  Result<void> verify(const Id<Slug>& slug, const std::filesystem::path& archive);

 private:
  store::Database& database_;
};

}  // namespace renga::releases
