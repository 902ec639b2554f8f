// Archives as strangers write them: every name, type and size exactly as told.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace renga::releases {

struct Member {
  std::string name;
  unsigned type = AE_IFREG;
  std::string content = {};
  std::string link = {};  // of a symbolic link
  std::string hard_link = {};
  unsigned mode = 0644;
  std::int64_t hole = 0;  // a sparse file of this size that ends with a hole
};

inline Member file(std::string name, std::string content = "x", unsigned mode = 0644) {
  Member member{std::move(name)};
  member.content = std::move(content);
  member.mode = mode;
  return member;
}
inline Member directory(std::string name, unsigned mode = 0755) {
  Member member{std::move(name), AE_IFDIR};
  member.mode = mode;
  return member;
}
inline Member symlink(std::string name, std::string link) {
  Member member{std::move(name), AE_IFLNK};
  member.link = std::move(link);
  return member;
}
inline Member hard_link(std::string name, std::string link) {
  Member member{std::move(name)};
  member.hard_link = std::move(link);
  return member;
}

// `filter`: ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_ZSTD or ARCHIVE_FILTER_NONE.
inline void write_tar(const std::filesystem::path& path, const std::vector<Member>& members,
                      int filter = ARCHIVE_FILTER_GZIP) {
  archive* writer = archive_write_new();
  archive_write_set_format_pax(writer);
  archive_write_add_filter(writer, filter);
  if (archive_write_open_filename(writer, path.c_str()) != ARCHIVE_OK)
    throw std::runtime_error(archive_error_string(writer));
  for (const auto& member : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, member.name.c_str());
    archive_entry_set_filetype(entry, member.type);
    archive_entry_set_perm(entry, static_cast<mode_t>(member.mode));
    archive_entry_set_mtime(entry, 1'700'000'000, 0);
    archive_entry_set_uid(entry, 4711);
    archive_entry_set_gid(entry, 4711);
    const bool has_content = member.type == AE_IFREG && member.hard_link.empty();
    archive_entry_set_size(entry, has_content ? static_cast<la_int64_t>(member.content.size()) : 0);
    if (member.hole > 0) {
      archive_entry_set_size(entry, member.hole);
      archive_entry_sparse_add_entry(entry, 0, static_cast<la_int64_t>(member.content.size()));
    }
    if (!member.link.empty()) archive_entry_set_symlink(entry, member.link.c_str());
    if (!member.hard_link.empty()) archive_entry_set_hardlink(entry, member.hard_link.c_str());
    if (member.type == AE_IFCHR) archive_entry_set_rdev(entry, 0x103);
    archive_write_header(writer, entry);
    if (has_content) archive_write_data(writer, member.content.data(), member.content.size());
    archive_write_finish_entry(writer);
    archive_entry_free(entry);
  }
  archive_write_close(writer);
  archive_write_free(writer);
}

inline std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

inline void write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

// A directory of its own, gone with it.
struct Scratch {
  Scratch() : path(std::filesystem::temp_directory_path() / "renga-releases-XXXXXX") {
    auto name = path.string();
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

}  // namespace renga::releases
