#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/attached.h"
#include "cli/commands/commands.h"
#include "os/fd.h"

namespace renga::cli {
namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

// What the dyno says on its standard error must not become part of the file: nothing is written
// there but the exit status, which tells what went wrong.
constexpr int no_such_file = 3, no_file = 4;

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Copy which file? `renga ps:copy log/app.log`.");
  const auto& file = context.arguments[0];
  const auto target =
      context.has("output") ? fs::path(context.flag("output")) : fs::path(file).filename();
  if (target.empty()) return fail(Kind::invalid, "Name the file to write with --output.");
  if (fs::exists(target))
    return fail(Kind::conflict, fmt::format("{} is there already. Move it away, or name another "
                                            "with --output.",
                                            target.string()));
  const auto name = TRY(dyno_to_enter(context));
  const auto quoted = text::shell_quote(file);
  const auto command = fmt::format(
      "exec 2>/dev/null; [ -e {0} ] || exit {1}; [ -f {0} ] || exit {2}; exec cat -- {0}", quoted,
      no_such_file, no_file);
  auto* platform = TRY(context.platform());
  const auto path = TRY(context.path("/dynos/" + text::url_encode(name)));
  const auto dyno =
      TRY(platform->post(path, json::object{{"command", command}, {"force_no_tty", true}}));

  // Complete, or not there.
  auto part = target;
  part += ".part";
  const os::Fd out(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  const os::Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!out) return fail(Kind::invalid, fmt::format("{} cannot be written.", part.string()));
  auto options = attach_options(*platform, false);
  options.input = nothing.get();
  options.output = out.get();
  const auto status = client::attach(text_at(dyno, "attach_url"), options);
  std::error_code error;
  if (!status || *status != 0) fs::remove(part, error);
  if (!status) return std::unexpected(status.error());
  if (*status == no_such_file)
    return fail(Kind::not_found, fmt::format("{} has no file {}.", name, file));
  if (*status == no_file)
    return fail(Kind::invalid, fmt::format("{} on {} is not a regular file.", file, name));
  if (*status != 0)
    return fail(Kind::unavailable, fmt::format("{} on {} cannot be read.", file, name));
  fs::rename(part, target);
  context.terminal.say(fmt::format("Copying {} from {}... done, {}", file, name, target.string()));
  return 0;
}

}  // namespace

Command ps_copy() {
  return {
      .name = "ps:copy",
      .usage = "FILE",
      .summary = "copy a file from a dyno to this machine",
      .help = R"(A path without a slash in front is seen from /app. The copy is exact.

Examples:
  $ renga ps:copy log/app.log
  $ renga ps:copy /tmp/heap.hprof --dyno web.2 --output heap.hprof)",
      .flags = {app_flag,
                {"dyno", 'd', "DYNO", "which one (default web.1, or the first that is up)"},
                {"output", 'o', "FILE", "what to call it here (default: as it is called there)"}},
      .run = run};
}

}  // namespace renga::cli
