// The vars are written to a file that only this user can read, and gone when the editor has ended;
// what differs then is one change of config, and so one release.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/fault.h"
#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"
#include "cli/config_text.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

class DraftFile {
 public:
  explicit DraftFile(const std::string& content) {
    const auto* directory = std::getenv("TMPDIR");
    path_ = std::string(directory && *directory ? directory : "/tmp") + "/renga-config-XXXXXX";
    const int fd = ::mkstemp(path_.data());  // mode 0600
    if (fd < 0) fault("make a file to edit");
    std::string_view left = content;
    while (!left.empty()) {
      const auto written = ::write(fd, left.data(), left.size());
      if (written <= 0) fault("write " + path_);
      left.remove_prefix(static_cast<std::size_t>(written));
    }
    ::close(fd);
  }
  ~DraftFile() { ::unlink(path_.c_str()); }
  DraftFile(const DraftFile&) = delete;
  DraftFile& operator=(const DraftFile&) = delete;

  const std::string& path() const { return path_; }
  std::string read() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  std::string path_;
};

std::string editor(const Context& context) {
  for (const auto* name : {"VISUAL", "EDITOR"})
    if (const auto found = context.surroundings.environment.find(name);
        found != context.surroundings.environment.end() && !found->second.empty())
      return found->second;
  return "vi";
}

// Of names that are in one and not in the other, or differ.
json::object difference(const Vars& before, const Vars& after) {
  json::object changes;
  for (const auto& [name, value] : after) {
    const auto old = before.find(name);
    if (old == before.end() || old->second != value) changes[name] = value;
  }
  for (const auto& [name, value] : before)
    if (!after.contains(name)) changes[name] = nullptr;
  return changes;
}

Result<int> run(Context& context) {
  auto* platform = TRY(context.platform());
  const auto path = TRY(context.path("/config-vars"));
  const auto before = vars_in(TRY(platform->get(path)));
  auto shown = before;
  const auto only = context.arguments.empty() ? std::string() : context.arguments[0];
  if (!only.empty()) shown = {{only, before.contains(only) ? before.at(only) : std::string()}};
  const DraftFile draft(shell_lines(shown));
  // As git does: the shell splits what EDITOR says, and the name of the file is its argument.
  const auto command = editor(context) + " " + text::shell_quote(draft.path());
  const int ended = std::system(command.c_str());  // NOLINT(cert-env33-c): the user's own command
  if (ended != 0)
    return fail(Kind::invalid, fmt::format("The editor ended with {}. Nothing was changed.",
                                           WIFEXITED(ended) ? WEXITSTATUS(ended) : 128));
  auto after = TRY(parse_shell_lines(draft.read()));
  if (!only.empty()) {
    auto whole = before;
    whole.erase(only);
    whole.merge(after);
    after = std::move(whole);
  }
  const auto changes = difference(before, after);
  if (changes.empty()) {
    context.terminal.say("No changes.");
    return 0;
  }
  // Between the two somebody else may have changed something; only what was edited here is sent.
  TRY(platform->patch(path, changes));
  for (const auto& [name, value] : changes)
    context.terminal.say(
        fmt::format("{} {}", value.is_null() ? "Removed" : "Set", std::string_view(name)));
  context.terminal.say(fmt::format("Updating {} and restarting... done, v{}", TRY(context.app()),
                                   text_at(TRY(context.newest_release()), "version")));
  return 0;
}

}  // namespace

Command config_edit() {
  return {.name = "config:edit",
          .usage = "[NAME]",
          .summary = "change config vars in your editor",
          .help = R"(VISUAL or EDITOR is opened with NAME='value' lines. Quotes are a shell's; a
value may have several lines. A line that is taken away removes its config var. All changes
are one release.)",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli
