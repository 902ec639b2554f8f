#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <memory>

#include "base/text.h"
#include "setups/app_setups.h"

namespace renga::setups {

namespace {

std::optional<std::string> text_of(archive& reader, std::size_t most) {
  std::string text;
  std::array<char, 16 * 1024> piece;
  for (;;) {
    const auto got = archive_read_data(&reader, piece.data(), piece.size());
    if (got < 0) return std::nullopt;
    if (got == 0 || text.size() > most) return text;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

std::optional<std::string> file_in_archive(const std::filesystem::path& path, std::string_view name,
                                           std::size_t most) {
  struct Free {
    void operator()(archive* reader) const { archive_read_free(reader); }
  };
  const std::unique_ptr<archive, Free> reader(archive_read_new());
  if (!reader) throw std::bad_alloc();
  archive_read_support_format_tar(reader.get());
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_zstd(reader.get());
  if (archive_read_open_filename(reader.get(), path.c_str(), 64 * 1024) != ARCHIVE_OK)
    return std::nullopt;

  // The same root as a build takes: where all is in one directory, what that holds.
  std::optional<std::string> in_only_directory;
  std::optional<std::string> only_directory;
  bool several = false;
  archive_entry* entry = nullptr;
  while (archive_read_next_header(reader.get(), &entry) == ARCHIVE_OK) {
    const char* said = archive_entry_pathname(entry);
    std::string_view found = said == nullptr ? "" : said;
    while (found.starts_with("./")) found.remove_prefix(2);
    if (found.empty() || found == ".") continue;
    const bool regular = archive_entry_filetype(entry) == AE_IFREG;
    if (found == name && regular) return text_of(*reader, most);

    const auto [top, below] = text::split_once(found, '/');
    several = several || (only_directory && *only_directory != top);
    only_directory = top;
    if (below == name && regular) in_only_directory = text_of(*reader, most);
  }
  return several ? std::nullopt : in_only_directory;
}

}  // namespace renga::setups
