// `renga hook pre-receive`: git starts it inside the repository when everything that was pushed has
// arrived and nothing has been accepted yet. It takes what was pushed out of git's quarantine
// (where only a hook can see it), asks control to build it, and shows what control says. Its exit
// status decides whether the branch moves.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "base/fault.h"
#include "base/text.h"
#include "git/hook_frames.h"
#include "git/pushed_refs.h"
#include "git/repositories.h"
#include "os/file.h"
#include "os/process.h"

namespace renga::git {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_files = 1'000'000;
constexpr std::size_t shown_of_commit = 7;

void say(std::string_view text) {
  // Somebody who went away does not stop what was accepted.
  while (!text.empty()) {
    const auto written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

int refuse(std::string_view why) {
  say(fmt::format("\n !     {}\n\n !     Push failed\n", why));
  return 1;
}

std::string from_environment(const char* name) {
  const char* value = getenv(name);
  return value != nullptr ? value : "";
}

// What `commit` has, and its submodules: "PATH\tCOMMIT" each; of either one more than are taken.
// A tree may have others in it so many times over that nobody could list all.
struct Tree {
  std::size_t files = 0, all = 0;  // with directories
  std::vector<std::string> submodules;
};
constexpr std::size_t most_submodules = 100;
// "160000 commit SHA\tPATH": a submodule as ls-tree lists it.
void add_submodule(Tree& tree, std::string_view entry) {
  const auto [facts, path] = text::split_once(entry, '\t');
  const auto parts = text::split(facts, ' ');
  if (parts.size() == 3 && path == text::printable(path) &&
      tree.submodules.size() <= most_submodules)
    tree.submodules.push_back(fmt::format("{}\t{}", path, parts[2]));
}
Tree look_at(const std::string& commit) {
  os::Child git({.argv = {"git", "ls-tree", "-r", "-t", "-z", commit}}, {.err = STDERR_FILENO});
  git.in().close();
  Tree tree;
  std::string left;  // the start of an entry that is not here whole
  std::array<char, 65536> buffer;
  for (;;) {
    const auto count = ::read(git.out().get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fault("read from git ls-tree");
    if (count == 0) break;
    left.append(buffer.data(), static_cast<std::size_t>(count));
    std::size_t at = 0;
    for (auto end = left.find('\0'); end != left.npos; end = left.find('\0', at)) {
      const auto entry = std::string_view(left).substr(at, end - at);
      if (++tree.all > most_files) return tree;
      if (!entry.starts_with("040000 ")) ++tree.files;
      if (entry.starts_with("160000 ")) add_submodule(tree, entry);
      at = end + 1;
    }
    left.erase(0, at);
  }
  if (const int status = git.wait(); status != 0)
    throw std::runtime_error(fmt::format("git ls-tree ended with {}", status));
  return tree;
}

std::string subject_of(const std::string& commit) {
  const auto shown = os::run({.argv = {"git", "show", "--no-patch", "--format=%s", commit}});
  return shown.status == 0 ? text::printable(text::trim(shown.out).substr(0, 200)) : "";
}

void sync_directory(const fs::path& path) {
  if (fsync(os::open_file(path, O_RDONLY | O_DIRECTORY).get()) != 0) fault("sync " + path.string());
}

// git throws away what was pushed when this hook fails, as it does when control dies meanwhile. A
// build is made from its commit, at once or when it is carried on, and then that must be there: the
// quarantine's files, which git has synced, get a second name in the repository. What no branch
// comes to need, git's own collection takes away after two weeks.
void keep_objects() {
  const fs::path quarantine = from_environment("GIT_QUARANTINE_PATH");
  if (quarantine.empty()) return;
  const auto objects = quarantine.parent_path();
  std::set<fs::path> changed;
  const auto link_all = [&](std::string_view suffix) {
    for (const auto& entry : fs::recursive_directory_iterator(quarantine)) {
      if (!entry.is_regular_file()) continue;
      const auto name = entry.path().filename().string();
      if (name.starts_with("tmp_") || name.ends_with(".idx") != (suffix == ".idx")) continue;
      const auto kept = objects / entry.path().lexically_relative(quarantine);
      if (fs::exists(kept)) continue;
      if (fs::create_directories(kept.parent_path())) changed.insert(objects);
      fs::create_hard_link(entry.path(), kept);
      changed.insert(kept.parent_path());
    }
  };
  // A pack is there for git once its index is.
  link_all("");
  link_all(".idx");
  for (const auto& each : changed) sync_directory(each);
}

int deploy(const std::string& commit, const std::vector<Move>& moves) {
  const auto tree = look_at(commit);
  if (tree.all > most_files)
    return refuse(
        fmt::format("The app has more than {} files and directories. Take what is not "
                    "needed out of git.",
                    most_files));
  say(fmt::format("Updated {} paths from {}\n", tree.files, commit.substr(0, shown_of_commit)));
  if (tree.submodules.size() > most_submodules)
    return refuse(fmt::format("The app has more than {} submodules, and builds fetch no more.",
                              most_submodules));
  keep_objects();
  // Heroku's words for what happens here; nothing is packed that would have to be unpacked again.
  say("Compressing source files... done.\nBuilding source:\n\n");
  auto asked =
      fmt::format("{}\n{}\n{}", from_environment("RENGA_HOOK_SECRET"), commit, subject_of(commit));
  for (const auto& move : moves) asked += "\n" + move.from + " " + move.branch;
  for (const auto& each : tree.submodules) asked += "\nsubmodule\t" + each;
  const auto control = connect_to(from_environment("RENGA_HOOK_SOCKET"));
  send(control.get(), {'d', asked});
  while (const auto frame = receive(control.get())) {
    if (frame->kind == 'o') say(frame->bytes);
    if (frame->kind == 'x') return frame->bytes == "0" ? 0 : 1;
  }
  say("\n !     The platform went away in the middle of this push. What it has accepted it builds "
      "and releases\n"
      " !     when it is back, and moves the branch then: there is no need to push again.\n");
  return 1;
}

}  // namespace

int hook_main(int argc, char** argv) {
  if (argc != 3 || std::string_view(argv[2]) != "pre-receive") {
    std::fputs("renga hook is started by git, as: renga hook pre-receive\n", stderr);
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  // The hook's own main(): whatever fails here refuses the push.
  try {
    const std::string pushed{std::istreambuf_iterator<char>(std::cin), {}};
    const auto wanted = read_pushed_refs(pushed);
    if (!wanted) return refuse(wanted.error().message);
    if (wanted->others > 0)
      say("Pushed to non-main branch, skipping build.\n"
          "Only main and master are deployed: git push renga HEAD:main\n");
    return wanted->commit.empty() ? 0 : deploy(wanted->commit, wanted->moves);
  } catch (const std::exception& fault) {
    return refuse(fmt::format("The platform failed to take this push: {}.", fault.what()));
  }
}

}  // namespace renga::git
