#include "releases/upload_checksums.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "base/fault.h"
#include "base/text.h"
#include "crypto/digest.h"

namespace renga::releases {
namespace {

std::string sha256_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fault("read " + path.string());
  crypto::Sha256 digest;
  std::array<char, 64 * 1024> piece;
  while (file.read(piece.data(), piece.size()) || file.gcount() > 0)
    digest.update({piece.data(), static_cast<std::size_t>(file.gcount())});
  return digest.finish();
}

}  // namespace

Result<void> UploadChecksums::check(std::string_view checksum) {
  const auto [kind, digits] = text::split_once(checksum, ':');
  const bool hexadecimal = digits.size() == 64 && std::ranges::all_of(digits, [](unsigned char c) {
                             return std::isxdigit(c) != 0;
                           });
  if (text::equals_ignoring_case(kind, "sha256") && hexadecimal) return {};
  return fail(Kind::invalid, "A slug's checksum is written as SHA256: and 64 hexadecimal digits.");
}

void UploadChecksums::expect(const Id<Slug>& slug, std::string_view checksum) {
  database_.run("INSERT INTO upload_checksums (slug, checksum) VALUES (?, ?)", slug, checksum);
}

std::optional<std::string> UploadChecksums::of(const Id<Slug>& slug) {
  return database_.first(
      "SELECT checksum FROM upload_checksums WHERE slug = ?",
      [](const store::Row& row) { return row.text(0); }, slug);
}

Result<void> UploadChecksums::verify(const Id<Slug>& slug, const std::filesystem::path& archive) {
  const auto said = of(slug);
  if (!said) return {};
  const auto is = sha256_of(archive);
  if (text::lower(text::split_once(*said, ':').second) == is) return {};
  return fail(Kind::invalid,
              fmt::format("The archive does not have the checksum that its slug was made with: it "
                          "has SHA256:{}. Upload the other one, or make another slug.",
                          is));
}

}  // namespace renga::releases
