#include "webhooks/rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "webhooks/webhooks.h"

namespace renga::webhooks {
namespace {

constexpr std::size_t longest_text = 2'000;

}  // namespace

const std::vector<std::string>& entities() {
  static const std::vector<std::string> all{
      "api:addon-attachment", "api:addon",  "api:app",       "api:build",
      "api:collaborator",     "api:domain", "api:formation", "api:release",
      "api:sni-endpoint",     "dyno"};
  return all;
}

Result<void> check_url(std::string_view url) {
  const auto start = url.find("://");
  const auto scheme = url.substr(0, start == std::string_view::npos ? 0 : start);
  const auto authority =
      start == std::string_view::npos
          ? std::string_view()
          : url.substr(start + 3, url.find_first_of("/?#", start + 3) - start - 3);
  const bool plain = std::ranges::all_of(
      url, [](char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7f && c != '\\'; });
  if ((scheme != "https" && scheme != "http") || authority.empty() || authority.contains('@') ||
      !plain || url.size() > longest_text)
    return fail(Kind::invalid,
                "`url` must be an https:// or http:// URL of at most 2,000 characters, without a "
                "user in it; `authorization` is for passwords.");
  return {};
}

Result<std::string> check_entities(std::vector<std::string> wanted) {
  for (auto& entity : wanted)
    if (entity == "api:dyno") entity = "dyno";  // as Heroku's CLI has it in its examples
  std::ranges::sort(wanted);
  const auto twice = std::ranges::unique(wanted);
  wanted.erase(twice.begin(), twice.end());
  if (wanted.empty())
    return fail(Kind::invalid, fmt::format("`include` must name what to hear of: {}.",
                                           text::join(entities(), ", ")));
  for (const auto& entity : wanted)
    if (std::ranges::find(entities(), entity) == entities().end())
      return fail(Kind::invalid, fmt::format("There is no entity \"{}\" to include. There are: {}.",
                                             text::printable(entity.substr(0, 100)),
                                             text::join(entities(), ", ")));
  return text::join(wanted, " ");
}

Result<void> check_level(std::string_view level) {
  if (level != "notify" && level != "sync")
    return fail(Kind::invalid, "`level` must be notify (one attempt) or sync (until it is taken).");
  return {};
}

Result<void> check_secret(std::string_view what, const std::string& secret) {
  const bool plain = std::ranges::all_of(
      secret, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7f; });
  if (secret.empty() || secret.size() > longest_text || !plain)
    return fail(Kind::invalid,
                fmt::format("`{}` must be 1 to 2,000 characters without line breaks.", what));
  return {};
}

std::chrono::seconds pause_after(int attempts) {
  return std::min(std::chrono::seconds(5 << std::min(attempts - 1, 10)),
                  std::chrono::seconds(3'600));
}
}  // namespace renga::webhooks
