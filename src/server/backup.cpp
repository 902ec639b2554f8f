// `renga backup` and `renga restore`: words of the command line to calls of the room.
#include "backup/backup.h"

#include <fmt/format.h>

#include <cstdio>
#include <functional>
#include <optional>

#include "server/options.h"
#include "server/server.h"

namespace renga::server {
namespace {

struct Words {
  std::filesystem::path file;
  std::filesystem::path data = default_data_directory();
};

std::optional<Words> parse(int argc, char** argv) {
  Words words;
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--data" && i + 1 < argc)
      words.data = argv[++i];
    else if (word.starts_with("--data="))
      words.data = word.substr(7);
    else if (words.file.empty() && !word.empty() && !word.starts_with('-'))
      words.file = word;
    else
      return std::nullopt;
  }
  if (words.file.empty() || words.data.empty()) return std::nullopt;
  return words;
}

int run(int argc, char** argv, const std::function<Result<backup::Summary>(const Words&)>& work,
        const std::string& done) {
  const auto words = parse(argc, argv);
  if (!words) {
    fmt::print(stderr, "renga: `renga {} FILE [--data DIR]`.\n", argv[1]);
    return 2;
  }
  try {
    const auto summary = work(*words);
    if (!summary) {
      fmt::print(stderr, "renga: {}\n", summary.error().message);
      return 1;
    }
    fmt::print("renga: {} {}: {} files of slugs, {} repositories, {:.1f} MB\n", done,
               words->data.string(), summary->slug_files, summary->repositories,
               static_cast<double>(summary->bytes) / 1e6);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "renga: {} failed: {}\n", argv[1], error.what());
    return 1;
  }
}

}  // namespace

int backup_main(int argc, char** argv) {
  return run(
      argc, argv, [](const Words& words) { return backup::back_up(words.data, words.file); },
      "backed up");
}

int restore_main(int argc, char** argv) {
  return run(
      argc, argv, [](const Words& words) { return backup::restore(words.file, words.data); },
      "restored");
}

}  // namespace renga::server
