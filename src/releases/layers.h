// What a build left that saw an overlay: a directory `upper`, to which it wrote, over one that
// nobody could change. That one is found by a link beside, where only control writes; so
// Slugs::create() is given the upper one and knows of both.
#pragma once

#include <filesystem>
#include <optional>

#include "os/fd.h"

namespace renga::releases {

inline constexpr const char* upper_name = "upper";

// `lower` stays, and its files come to be links to the slug's objects: they must not be written to
// in place, then or later.
inline void put_over(const std::filesystem::path& lower, const std::filesystem::path& upper) {
  std::filesystem::create_symlink(lower, upper.parent_path() / "lower");
}

// Whether the objects that files of `lower` became links to are all there: one that was found
// damaged is taken away, and the file is as damaged.
bool is_whole(const std::filesystem::path& lower);

// What both show, read-only; nothing where nothing was written, and so the lower one is all.
os::Fd view_of(int lower, int upper);

// Nothing where a directory is all that there is.
inline std::optional<std::filesystem::path> lower_of(const std::filesystem::path& upper) {
  std::error_code none;
  if (upper.filename() != upper_name) return std::nullopt;
  const auto lower = std::filesystem::read_symlink(upper.parent_path() / "lower", none);
  return none ? std::nullopt : std::optional(lower);
}

}  // namespace renga::releases
