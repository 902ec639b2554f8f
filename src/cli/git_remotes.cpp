#include "cli/git_remotes.h"

#include <fmt/format.h>

#include <chrono>

#include "base/text.h"
#include "cli/git_clone.h"
#include "os/process.h"

namespace renga::cli {
namespace {

std::optional<os::Output> git(const std::filesystem::path& directory,
                              std::vector<std::string> arguments,
                              std::chrono::seconds limit = std::chrono::seconds(30)) {
  arguments.insert(arguments.begin(), "git");
  try {
    return os::run(
        {.argv = std::move(arguments), .env = {}, .clear_env = false, .directory = directory}, {},
        limit);
  } catch (const std::exception&) {
    return std::nullopt;  // no git, or a directory that is gone: then there are no remotes
  }
}

// The app that a remote's URL names on this host, or nothing.
std::string app_of(std::string_view url, const std::string& host) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!url.starts_with(scheme)) continue;
    url.remove_prefix(scheme.size());
    auto [authority, path] = text::split_once(url, '/');
    if (const auto at = authority.rfind('@'); at != std::string_view::npos)
      authority.remove_prefix(at + 1);
    if (authority == host && path.ends_with(".git"))
      return std::string(path.substr(0, path.size() - 4));
  }
  return {};
}

std::string git_base(const client::Settings& settings) { return "https://" + settings.host(); }

// How git signs in to the server, as names and values of its configuration. An empty helper first:
// helpers of the user's own configuration are not asked for this host.
struct Setting {
  std::string name, value;
};
std::vector<Setting> credentials(const client::Settings& settings, const std::string& program) {
  const auto base = git_base(settings);
  const auto helper = fmt::format("credential.{}.helper", base);
  std::vector<Setting> all{
      {helper, ""}, {helper, fmt::format("!{} git:credentials", text::shell_quote(program))}};
  if (!settings.ca.empty())
    all.push_back(
        {fmt::format("http.{}/.sslCAInfo", base), std::filesystem::absolute(settings.ca).string()});
  return all;
}

}  // namespace

std::vector<AppRemote> app_remotes(const std::filesystem::path& directory, const std::string& host,
                                   const std::string& only) {
  std::vector<AppRemote> remotes;
  const auto listed = git(directory, {"remote", "-v"});
  if (!listed || listed->status != 0) return remotes;
  for (const auto line : text::lines(listed->out)) {
    if (!line.ends_with("(push)")) continue;
    const auto [name, rest] = text::split_once(line, '\t');
    const auto app = app_of(text::split_once(rest, ' ').first, host);
    if (!app.empty() && (only.empty() || name == only)) remotes.push_back({std::string(name), app});
  }
  return remotes;
}

std::string git_url(const client::Settings& settings, const std::string& app) {
  return fmt::format("{}/{}.git", git_base(settings), app);
}

bool in_repository(const std::filesystem::path& directory) {
  const auto inside = git(directory, {"rev-parse", "--git-dir"});
  return inside && inside->status == 0;
}

Result<void> set_app_remote(const std::filesystem::path& directory,
                            const client::Settings& settings, const std::string& program,
                            const std::string& name, const std::string& app) {
  const auto url = git_url(settings, app);
  const auto known = git(directory, {"remote", "get-url", name});
  const auto done = known && known->status == 0 ? git(directory, {"remote", "set-url", name, url})
                                                : git(directory, {"remote", "add", name, url});
  if (!done || done->status != 0)
    return fail(Kind::invalid, fmt::format("git could not set the remote {}: {}", name,
                                           done ? text::trim(done->err) : "git is not installed"));

  std::string last;
  for (const auto& [name_of, value] : credentials(settings, program)) {
    // Whatever stood there goes with the first of a name.
    const auto set =
        git(directory, {"config", name_of == last ? "--add" : "--replace-all", name_of, value});
    if (!set || set->status != 0)
      return fail(Kind::invalid,
                  fmt::format("git could not be told how to sign in to {}: {}", git_base(settings),
                              set ? text::trim(set->err) : "git is not installed"));
    last = name_of;
  }
  return {};
}

Result<void> clone_app(const std::filesystem::path& directory, const client::Settings& settings,
                       const std::string& program, const std::string& name,
                       const std::string& app) {
  std::vector<std::string> words{"clone", "--quiet", "--origin", name};
  for (const auto& [name_of, value] : credentials(settings, program)) {
    words.emplace_back("--config");
    words.push_back(name_of + "=" + value);
  }
  words.push_back(git_url(settings, app));
  words.push_back(directory.string());
  const auto done = git(std::filesystem::absolute(directory).parent_path(), std::move(words),
                        std::chrono::hours(1));
  if (!done || done->status != 0)
    return fail(Kind::invalid, fmt::format("git could not clone {}: {}", app,
                                           done ? text::trim(done->err) : "git is not installed"));
  return {};
}

void remove_app_remote(const std::filesystem::path& directory, const std::string& name) {
  git(directory, {"remote", "remove", name});
}

}  // namespace renga::cli
