#include "git/branches.h"

#include <algorithm>

#include "base/text.h"
#include "builds/confined_git.h"
#include "os/process.h"

namespace renga::git {
namespace {

constexpr std::chrono::seconds limit{30};

}  // namespace

std::filesystem::path Branches::repository(const Id<apps::App>& app) const {
  return directory_ / (app.value + ".git");
}

bool Branches::unmoved(const Id<apps::App>& app, const std::vector<Move>& moves) const {
  return std::ranges::all_of(moves, [&](const Move& wanted) {
    const auto found =
        os::run(builds::git_read_command(repository(app),
                                         {"rev-parse", "--verify", "--quiet", wanted.branch}),
                {}, limit);
    if (found.status == 0) return text::trim(found.out) == wanted.from;
    return wanted.from.find_first_not_of('0') == std::string::npos;
  });
}

bool Branches::move(const Id<apps::App>& app, const std::vector<Move>& moves,
                    const std::string& to) const {
  bool moved = true;
  for (const auto& each : moves) {
    const auto git =
        builds::git_write_command(repository(app), {"update-ref", each.branch, to, each.from});
    moved &= os::run(git, {}, limit).status == 0;
  }
  return moved;
}

}  // namespace renga::git
