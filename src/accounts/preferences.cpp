#include "accounts/preferences.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace renga::accounts {
namespace {

constexpr std::size_t longest_value = 200;

// Heroku's names, so that its dashboards' clients find what they ask for.
constexpr std::array names = {
    PreferenceName{"timezone", false},
    PreferenceName{"default-organization", false},
    PreferenceName{"dismissed-getting-started", true},
    PreferenceName{"dismissed-github-banner", true},
    PreferenceName{"dismissed-org-access-controls", true},
    PreferenceName{"dismissed-org-wizard-notification", true},
    PreferenceName{"dismissed-pipelines-banner", true},
    PreferenceName{"dismissed-pipelines-github-banner", true},
    PreferenceName{"dismissed-pipelines-github-banners", true},
    PreferenceName{"dismissed-sms-banner", true},
};

Result<void> check(std::string_view name, std::string_view value) {
  const auto known = std::ranges::find(names, name, &PreferenceName::name);
  if (known == names.end())
    return fail(Kind::invalid,
                "There is no preference '" + text::printable(name.substr(0, 64)) + "'.");
  if (known->is_switch && value != "true" && value != "false")
    return fail(Kind::invalid, "`" + std::string(name) + "` must be true or false.");
  if (value.size() > longest_value || text::printable(value) != value)
    return fail(Kind::invalid,
                "`" + std::string(name) + "` must be a text of at most 200 printable characters.");
  return {};
}

}  // namespace

std::span<const PreferenceName> preference_names() { return names; }

std::map<std::string, std::string> Preferences::all(const Id<Account>& account) {
  std::map<std::string, std::string> set;
  database_.query(
      "SELECT name, value FROM preferences WHERE account = ?",
      [&](const store::Row& row) { set[row.text(0)] = row.text(1); }, account);
  return set;
}

Result<void> Preferences::set(const Id<Account>& account,
                              const std::map<std::string, std::optional<std::string>>& changes) {
  for (const auto& [name, value] : changes) TRY(check(name, value.value_or("true")));
  auto transaction = database_.begin();
  for (const auto& [name, value] : changes) {
    if (value)
      database_.run(
          "INSERT INTO preferences (account, name, value) VALUES (?, ?, ?) "
          "ON CONFLICT (account, name) DO UPDATE SET value = excluded.value",
          account, name, *value);
    else
      database_.run("DELETE FROM preferences WHERE account = ? AND name = ?", account, name);
  }
  transaction.commit();
  return {};
}

}  // namespace renga::accounts
