#include "backup/bundles.h"

#include <fmt/format.h>

#include <chrono>

#include "base/text.h"
#include "os/process.h"

namespace renga::backup {
namespace {

os::Output git(std::vector<std::string> arguments) {
  // Not the repository that the caller may be working in.
  const std::vector<std::string> program{"env",           "-u", "GIT_DIR",        "-u",
                                         "GIT_WORK_TREE", "-u", "GIT_INDEX_FILE", "git"};
  arguments.insert(arguments.begin(), program.begin(), program.end());
  return os::run({.argv = std::move(arguments),
                  .env = {{"GIT_CONFIG_NOSYSTEM", "1"},
                          {"GIT_CONFIG_GLOBAL", "/dev/null"},
                          {"GIT_TERMINAL_PROMPT", "0"},
                          {"LC_ALL", "C"}}},
                 {}, std::chrono::minutes(10));
}

std::unexpected<Error> refused(const std::filesystem::path& what, const os::Output& said) {
  return fail(Kind::unavailable, fmt::format("git could not pack or unpack {}: {}", what.string(),
                                             text::trim(said.err)));
}

}  // namespace

Result<bool> write_bundle(const std::filesystem::path& repository,
                          const std::filesystem::path& bundle) {
  const auto of = "--git-dir=" + repository.string();
  const auto refs = git({of, "for-each-ref", "--count=1"});
  if (refs.status != 0) return refused(repository, refs);
  if (text::trim(refs.out).empty()) return false;
  const auto made = git({of, "bundle", "create", "--quiet", bundle.string(), "--all"});
  if (made.status != 0) return refused(repository, made);
  return true;
}

Result<void> read_bundle(const std::filesystem::path& bundle,
                         const std::filesystem::path& repository) {
  const auto made = git(
      {"init", "--quiet", "--bare", "--template=", "--initial-branch=main", repository.string()});
  if (made.status != 0) return refused(repository, made);
  const auto fetched = git({"--git-dir=" + repository.string(), "fetch", "--quiet",
                            "--update-head-ok", bundle.string(), "+refs/*:refs/*"});
  if (fetched.status != 0) return refused(repository, fetched);
  return {};
}

}  // namespace renga::backup
