// What the app has that the apps of the next stage have not: the commits between their slugs, as
// this directory's git repository knows them.
#include "cli/commands/commands.h"
#include "cli/commands/pipeline_apps.h"
#include "os/process.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

// The commit of what an app runs; empty before its first deploy.
Result<std::string> commit_of(Context& context, const std::string& app) {
  auto* platform = TRY(context.platform());
  const auto releases =
      TRY(platform->get("/apps/" + app + "/releases", "version ..; order=desc, max=100"));
  for (const auto& release : releases.as_array()) {
    const auto slug = text_at(release, "slug.id");
    if (!flag_at(release, "current") || slug.empty()) continue;
    return text_at(TRY(platform->get("/apps/" + app + "/slugs/" + slug)), "commit");
  }
  return std::string();
}

os::Output git(const Context& context, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "git");
  return os::run({.argv = std::move(arguments), .directory = context.surroundings.directory});
}

void compare(Context& context, const std::string& source, const std::string& source_commit,
             const std::string& target, const std::string& target_commit) {
  auto& terminal = context.terminal;
  if (source_commit == target_commit) {
    terminal.line(
        fmt::format("{} is up to date with {} ({})", target, source, source_commit.substr(0, 8)));
    return;
  }
  if (target_commit.empty()) {
    terminal.line(
        fmt::format("{} has no code yet; {} is at {}", target, source, source_commit.substr(0, 8)));
    return;
  }
  terminal.line(fmt::format("=== {} ({}) is behind {} ({})", target, target_commit.substr(0, 8),
                            source, source_commit.substr(0, 8)));
  // Commits are what a server said: never an option of git's.
  const auto log = git(context, {"log", "--no-color", "--date=short", "--format=%h  %ad  %an  %s",
                                 "--end-of-options", target_commit + ".." + source_commit});
  if (log.status != 0) {
    terminal.say(
        fmt::format("git does not know both commits here. Fetch them in the app's "
                    "repository, then see `git log {}..{}`.",
                    target_commit.substr(0, 8), source_commit.substr(0, 8)));
    return;
  }
  terminal.out(log.out.empty() ? "no commits: " + target + " is ahead\n" : log.out);
}

bool is_commit(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos && text.size() >= 7;
}

Result<int> run(Context& context) {
  const auto coupling = TRY(coupling_of_app(context));
  const auto source = text_at(coupling, "app.name");
  const auto stage = text_at(coupling, "stage");
  const auto here = std::ranges::find(promotion_order, stage);
  if (here == promotion_order.end() || here + 1 == promotion_order.end())
    return fail(Kind::invalid, fmt::format("Nothing comes after {}, where {} is.", stage, source));
  const auto couplings =
      TRY(TRY(context.platform())
              ->get("/pipelines/" + text_at(coupling, "pipeline.id") + "/pipeline-couplings",
                    "id ..; max=1000"));
  const auto source_commit = TRY(commit_of(context, source));
  if (!is_commit(source_commit))
    return fail(Kind::not_found, fmt::format("What {} runs was not built from a commit.", source));
  bool any = false;
  for (const auto& row : rows_of(couplings)) {
    if (row[1] != *(here + 1)) continue;
    any = true;
    const auto commit = TRY(commit_of(context, row[0]));
    compare(context, source, source_commit, row[0], is_commit(commit) ? commit : "");
  }
  if (!any) return fail(Kind::not_found, fmt::format("No app is in {}.", *(here + 1)));
  return 0;
}

}  // namespace

Command pipelines_diff() {
  return {.name = "pipelines:diff",
          .usage = "",
          .summary = "show the commits that the next stage has not yet",
          .help = R"(Run it in the app's git repository, which knows the commits.

Example:
  $ renga pipelines:diff -a sushi-staging)",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli
