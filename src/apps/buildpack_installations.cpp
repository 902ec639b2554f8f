#include "apps/buildpack_installations.h"

#include <algorithm>

#include "base/text.h"

namespace renga::apps {
namespace {

constexpr std::size_t most_buildpacks = 20;
constexpr std::size_t longest_url = 2048;
constexpr std::string_view urn = "urn:buildpack:";

// What a build can fetch; not ssh:, for which it has no key. Of file: and paths, builds allow those
// that the operator offers.
constexpr std::string_view schemes[] = {"https://", "http://", "git://"};
constexpr std::string_view file_scheme = "file://";

std::string_view without_urn(std::string_view url) {
  if (url.starts_with(urn)) url.remove_prefix(urn.size());
  return url;
}

bool is_word(std::string_view text) {
  return !text.empty() && text.front() != '.' && text.front() != '-' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

// "heroku/python": a namespace and a name. With "#v2" behind it, a version of it.
bool is_name(std::string_view url) {
  const auto [name, ref] = text::split_once(url, '#');
  const auto parts = text::split(name, '/');
  return parts.size() == 2 && is_word(parts[0]) && is_word(parts[1]) &&
         std::ranges::all_of(ref, [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_path(std::string_view url) {
  if (url.starts_with(file_scheme)) url.remove_prefix(file_scheme.size());
  return url.size() > 1 && url.front() == '/' &&
         std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_fetchable(std::string_view url) {
  const auto scheme =
      std::ranges::find_if(schemes, [&](std::string_view each) { return url.starts_with(each); });
  if (scheme == std::end(schemes)) return false;
  const auto rest = url.substr(scheme->size());
  return !rest.empty() && rest.front() != '/' &&
         std::ranges::all_of(rest, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

std::string BuildpackInstallation::name() const { return std::string(without_urn(url)); }
bool BuildpackInstallation::is_named() const { return is_name(without_urn(url)); }

Result<void> check_buildpack(std::string_view url) {
  if (url.size() <= longest_url && (is_name(without_urn(url)) || is_fetchable(url) || is_path(url)))
    return {};
  return fail(Kind::invalid, "'" + text::printable(url.substr(0, 200)) +
                                 "' is not a buildpack. Give a name such as heroku/python, or the "
                                 "https:// URL of a git repository or a .tgz file.");
}

std::vector<BuildpackInstallation> BuildpackInstallations::all(const Id<App>& app) {
  return database_.all(
      "SELECT ordinal, url FROM buildpack_installations WHERE app = ? ORDER BY ordinal",
      [](const store::Row& row) {
        return BuildpackInstallation{static_cast<int>(row.integer(0)), row.text(1)};
      },
      app);
}

Result<std::vector<BuildpackInstallation>> BuildpackInstallations::replace(
    const Id<App>& app, std::vector<std::string> urls) {
  if (urls.size() > most_buildpacks)
    return fail(Kind::invalid, "An app may have 20 buildpacks, and these are " +
                                   std::to_string(urls.size()) + ". Leave some out.");
  for (const auto& url : urls) TRY(check_buildpack(url));

  auto transaction = database_.begin();
  const auto exists = database_.first(
      "SELECT 1 FROM apps WHERE id = ?", [](const auto&) { return true; }, app);
  if (!exists) return fail(Kind::not_found, "Couldn't find that app.");
  database_.run("DELETE FROM buildpack_installations WHERE app = ?", app);
  int ordinal = 0;
  for (const auto& url : urls)
    database_.run("INSERT INTO buildpack_installations (app, ordinal, url) VALUES (?, ?, ?)", app,
                  ordinal++, url);
  transaction.commit();
  return all(app);
}

}  // namespace renga::apps
