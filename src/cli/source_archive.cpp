#include "cli/source_archive.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>

#include "base/fault.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "os/process.h"

namespace renga::cli {
namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t largest = 500ULL << 20;
constexpr auto limit = std::chrono::minutes(10);

// Gone with its owner.
struct TemporaryFile {
  fs::path path;
  TemporaryFile() {
    auto name = (fs::temp_directory_path() / "renga-source-XXXXXX").string();
    const int made = ::mkstemp(name.data());
    if (made < 0) fault("make a temporary file");
    ::close(made);
    path = name;
  }
  ~TemporaryFile() {
    std::error_code ignored;
    fs::remove(path, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
};

os::Output git(const fs::path& directory, std::vector<std::string> words) {
  words.insert(words.begin(), {"git", "-C", directory.string()});
  try {
    return os::run({.argv = std::move(words)}, {}, limit);
  } catch (const std::system_error&) {  // there is no git: then this is no repository either
    return {.status = 127, .out = {}, .err = {}};
  }
}

// What is to be packed, each name ended by a zero byte; nothing outside git.
std::optional<std::string> listed_by_git(const fs::path& directory) {
  const auto listed =
      git(directory, {"ls-files", "-z", "--cached", "--others", "--exclude-standard"});
  if (listed.status != 0) return std::nullopt;
  std::string names;
  for (const auto name : text::split(listed.out, '\0')) {
    std::error_code error;
    // A deleted file is still listed.
    if (name.empty() || !fs::exists(fs::symlink_status(directory / name, error))) continue;
    names += "./";
    names += name;
    names += '\0';
  }
  return names;
}

}  // namespace

Result<SourceArchive> read_source_archive(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  if (error || !fs::is_regular_file(file))
    return fail(Kind::not_found, fmt::format("There is no file {}.", file.string()));
  if (size > largest)
    return fail(Kind::too_large,
                fmt::format("The source is {} MB, compressed; at most {} MB are taken. Leave out "
                            "what the app does not need (.gitignore).",
                            size >> 20, largest >> 20));
  SourceArchive archive;
  std::ifstream in(file, std::ios::binary);
  archive.bytes.assign(std::istreambuf_iterator<char>(in), {});
  archive.checksum = "SHA256:" + crypto::sha256(archive.bytes);
  return archive;
}

Result<SourceArchive> archive_source(const fs::path& directory) {
  if (!fs::is_directory(directory))
    return fail(Kind::not_found, fmt::format("There is no directory {}.", directory.string()));
  const TemporaryFile file;
  os::Command tar{.argv = {"tar", "-czf", file.path.string(), "-C", directory.string()}};
  const auto names = listed_by_git(directory);
  if (names)
    tar.argv.insert(tar.argv.end(), {"--null", "--no-recursion", "-T", "-"});
  else
    tar.argv.insert(tar.argv.end(), {"--exclude=./.git", "."});
  const auto packed = os::run(tar, names.value_or(""), limit);
  if (packed.status != 0)
    return fail(Kind::invalid, fmt::format("{} could not be packed: tar said: {}",
                                           directory.string(), text::trim(packed.err)));
  auto archive = TRY(read_source_archive(file.path));
  const auto head = git(directory, {"log", "-1", "--format=%H%n%s"});
  if (head.status == 0) {
    const auto [commit, subject] = text::split_once(text::trim(head.out), '\n');
    archive.version = commit;
    archive.description = text::printable(subject);
  }
  return archive;
}

}  // namespace renga::cli
