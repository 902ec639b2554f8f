#include "git/pushed_refs.h"

#include <fmt/format.h>

#include "base/text.h"

namespace renga::git {

Result<PushedRefs> read_pushed_refs(std::string_view text) {
  constexpr std::string_view branches = "refs/heads/";
  PushedRefs pushed;
  for (const auto line : text::lines(text)) {
    const auto parts = text::split(line, ' ');
    if (parts.size() != 3)
      return fail(Kind::invalid, "git told of this push in a way that is not understood.");
    const auto& commit = parts[1];
    const auto& ref = parts[2];
    const bool deleted = commit.find_first_not_of('0') == std::string_view::npos;
    if (!ref.starts_with(branches))
      continue;  // tags are stored, and nobody expects a build of them

    const auto branch = ref.substr(branches.size());
    if (branch != "main" && branch != "master") {
      if (!deleted) ++pushed.others;
      continue;
    }
    if (deleted)
      return fail(
          Kind::invalid,
          fmt::format("{} is what this app is deployed from and cannot be deleted. To stop the "
                      "app, scale it to 0 or destroy it.",
                      branch));
    if (!pushed.commit.empty() && pushed.commit != commit)
      return fail(Kind::invalid,
                  "main and master were pushed together with different commits, and only one can "
                  "be deployed. Push "
                  "one of them.");
    pushed.commit = commit;
    pushed.moves.push_back({std::string(ref), std::string(parts[0])});
  }
  return pushed;
}

}  // namespace renga::git
