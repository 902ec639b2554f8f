#include "git/branches.h"

#include <algorithm>

#include "base/text.h"
#include "builds/git_command.h"
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
    auto command =
        builds::git_command(directory_, {"rev-parse", "--verify", "--quiet", wanted.branch});
    command.directory = repository(app);
    const auto found = os::run(command, {}, limit);
    if (found.status == 0) return text::trim(found.out) == wanted.from;
    return wanted.from.find_first_not_of('0') == std::string::npos;
  });
}

bool Branches::move(const Id<apps::App>& app, const std::vector<Move>& moves,
                    const std::string& to) const {
  bool moved = true;
  for (const auto& each : moves) {
    auto command = builds::git_command(directory_, {"update-ref", each.branch, to, each.from});
    command.directory = repository(app);
    moved &= os::run(command, {}, limit).status == 0;
  }
  return moved;
}

}  // namespace renga::git
