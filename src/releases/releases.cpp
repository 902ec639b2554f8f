#include "releases/releases.h"

#include <fmt/format.h>

#include <stdexcept>

#include "base/text.h"
#include "store/text_map.h"

namespace renga::releases {
namespace {

constexpr std::pair<Status, std::string_view> statuses[] = {{Status::pending, "pending"},
                                                            {Status::succeeded, "succeeded"},
                                                            {Status::failed, "failed"},
                                                            {Status::expired, "expired"}};

std::string_view name_of(Status status) {
  for (const auto& [each, name] : statuses)
    if (each == status) return name;
  throw std::logic_error("no such status");
}

Status status_named(std::string_view text) {
  for (const auto& [status, name] : statuses)
    if (name == text) return status;
  throw std::logic_error("A release has the unknown status " + std::string(text) + ".");
}

// `current` is a question, not a column: it moves by itself when a release succeeds.
constexpr std::string_view select =
    "SELECT id, app, version, description, status, user, slug, output_stream, created_at, "
    "updated_at, "
    "version = (SELECT max(version) FROM releases AS other "
    "           WHERE other.app = releases.app AND other.status = 'succeeded'), addon_plans "
    "FROM releases ";

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> words;
  for (const auto word : text::split(text, ' '))
    if (!word.empty()) words.emplace_back(word);
  return words;
}

Release read_release(const store::Row& row) {
  return {.id = row.id<Release>(0),
          .app = row.id<apps::App>(1),
          .version = static_cast<int>(row.integer(2)),
          .description = row.text(3),
          .status = status_named(row.text(4)),
          .current = !row.is_null(10) && row.flag(10),
          .user = row.id<accounts::Account>(5),
          .slug = row.maybe_id<Slug>(6),
          .output_stream = row.maybe_text(7),
          .addon_plans = words(row.text(11)),
          .created_at = row.time(8),
          .updated_at = row.time(9)};
}

std::string context_of(const Id<Release>& id) { return "config/" + id.value; }
std::string addons_context_of(const Id<Release>& id) { return "addon-config/" + id.value; }

// Of what differs. When one call sets and removes, both are said, so that history loses nothing.
std::string describe(const apps::ConfigVars& before, const apps::ConfigVars& after) {
  std::vector<std::string> set;
  std::vector<std::string> removed;
  for (const auto& [name, value] : after) {
    const auto old = before.find(name);
    if (old == before.end() || old->second != value) set.push_back(name);
  }
  for (const auto& [name, value] : before)
    if (!after.contains(name)) removed.push_back(name);

  std::vector<std::string> said;
  if (!set.empty()) said.push_back("Set " + text::join(set, ", "));
  if (!removed.empty()) said.push_back("Remove " + text::join(removed, ", "));
  return text::join(said, ", ") + " config vars";
}

// The changes without those that say what an add-on's var is anyway: `config:edit` sends them all.
Result<apps::ConfigChanges> by_hand(const apps::ConfigVars& given,
                                    const apps::ConfigChanges& changes) {
  apps::ConfigChanges wanted;
  std::vector<std::string> refused;
  for (const auto& [name, value] : changes) {
    const auto owned = given.find(name);
    if (owned == given.end())
      wanted.emplace(name, value);
    else if (value != owned->second)
      refused.push_back(name);
  }
  if (!refused.empty())
    return fail(
        Kind::invalid,
        fmt::format("Cannot overwrite attachment values {}. They are an add-on's: detach it "
                    "first, or attach it under another name.",
                    text::join(refused, ", ")));
  return wanted;
}

std::optional<std::int64_t> version_of(std::string_view identity) {
  if (identity.starts_with('v') || identity.starts_with('V')) identity.remove_prefix(1);
  if (identity.empty() || identity.front() < '0' || identity.front() > '9') return std::nullopt;
  return text::number(identity);
}

}  // namespace

Release Releases::append(const Id<apps::App>& app, const NewRelease& wanted) {
  std::vector<Id<Release>> changed;
  std::optional<Release> made;
  {  // A transaction holds the store for as long as it lives, and news go out without it.
    auto transaction = database_.begin();
    changed = insert(app, wanted);
    made = find(changed.front()).value();
    transaction.commit();
  }
  announce(changed);
  return *std::move(made);
}

std::optional<Release> Releases::append_with(
    const Id<apps::App>& app, const std::function<std::optional<NewRelease>()>& wanted) {
  std::vector<Id<Release>> changed;
  std::optional<Release> made;
  {
    auto transaction = database_.begin();
    if (const auto release = wanted()) {
      changed = insert(app, *release);
      made = find(changed.front()).value();
    }
    transaction.commit();
  }
  announce(changed);
  return made;
}

// Within the caller's transaction. The new release and those that expire by it.
std::vector<Id<Release>> Releases::insert(const Id<apps::App>& app, const NewRelease& wanted) {
  const auto id = wanted.id.value_or(Id<Release>::create());
  const auto last = database_.first(
      fmt::format("{} WHERE app = ? ORDER BY version DESC LIMIT 1", select), read_release, app);
  const int version = last ? last->version + 1 : 1;
  auto slug = wanted.slug;
  if (!slug && last) slug = last->slug;
  const auto vars = wanted.config ? *wanted.config
                    : last        ? config_by_hand(*last)
                                  : apps::ConfigVars{};
  const auto addons = wanted.addons ? *wanted.addons
                      : last        ? FromAddons{config_from_addons(*last), last->addon_plans}
                                    : FromAddons{};

  bool has_command = false;
  if (slug) {
    const auto found = slugs_.find(*slug);
    if (!found)
      throw std::logic_error("A release names the slug " + slug->value + ", which does not exist.");
    has_command = found->process_types.contains("release");
  }
  // What rests on a release whose command has not succeeded must not become current without it.
  const bool unproven = last && last->status != Status::succeeded;
  const bool brings_something = wanted.slug || wanted.config || wanted.deploy || unproven;
  const auto status = has_command && brings_something ? Status::pending : Status::succeeded;

  const auto now = clock_.now();
  database_.run(
      "INSERT INTO releases (id, app, version, description, status, user, slug, config, "
      "addon_config, addon_plans, created_at, updated_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      id, app, version, wanted.description, name_of(status), wanted.user, slug,
      store::Blob{box_.seal(store::to_json(vars), context_of(id))},
      store::Blob{box_.seal(store::to_json(addons.vars), addons_context_of(id))},
      text::join(addons.plans, " "), now, now);
  apps_.set_released(app, now);
  std::vector<Id<Release>> changed = {id};
  if (status == Status::succeeded)
    for (auto& expired : expire_older(id)) changed.push_back(std::move(expired));
  return changed;
}

void Releases::append_first(const Id<apps::App>& app, const Id<accounts::Account>& user) {
  auto transaction = database_.begin();
  append(
      app,
      {.description = "Initial release", .user = user, .slug = {}, .config = apps::ConfigVars{}});
  insert(app, {.description = "Enable Logplex", .user = user, .slug = {}, .config = {}});
  transaction.commit();
}

std::vector<Release> Releases::all(const Id<apps::App>& app, int limit) {
  return database_.all(fmt::format("{} WHERE app = ? ORDER BY version DESC LIMIT ?", select),
                       read_release, app, limit);
}

Result<Release> Releases::find(const Id<apps::App>& app, std::string_view identity) {
  std::optional<Release> found;
  if (const auto version = version_of(identity); version && !is_uuid(identity)) {
    found = database_.first(fmt::format("{} WHERE app = ? AND version = ?", select), read_release,
                            app, *version);
  } else {
    found = database_.first(fmt::format("{} WHERE app = ? AND id = ?", select), read_release, app,
                            text::lower(identity));
  }
  if (!found) return fail(Kind::not_found, "Couldn't find that release.");
  return *std::move(found);
}

Result<Release> Releases::find(const Id<Release>& id) {
  auto found = database_.first(fmt::format("{} WHERE id = ?", select), read_release, id);
  if (!found) return fail(Kind::not_found, "Couldn't find that release.");
  return *std::move(found);
}

Release Releases::newest(const Id<apps::App>& app) {
  auto found = database_.first(
      fmt::format("{} WHERE app = ? ORDER BY version DESC LIMIT 1", select), read_release, app);
  if (!found) throw std::runtime_error("The app " + app.value + " has no release.");
  return *std::move(found);
}

Release Releases::current(const Id<apps::App>& app) {
  auto found = database_.first(
      fmt::format("{} WHERE app = ? AND status = 'succeeded' ORDER BY version DESC LIMIT 1",
                  select),
      read_release, app);
  if (!found) throw std::runtime_error("The app " + app.value + " has no release that succeeded.");
  return *std::move(found);
}

std::vector<Release> Releases::pending() {
  return database_.all(
      fmt::format("{} WHERE status = 'pending' ORDER BY created_at, version", select),
      read_release);
}

apps::ConfigVars Releases::config(const Release& release) {
  auto vars = config_by_hand(release);
  for (auto& [name, value] : config_from_addons(release)) vars[name] = value;
  return vars;
}

apps::ConfigVars Releases::config_from_addons(const Release& release) {
  const auto sealed = database_.first(
      "SELECT addon_config FROM releases WHERE id = ?",
      [](const store::Row& row) { return row.maybe_text(0); }, release.id);
  if (!sealed) throw std::runtime_error("The release " + release.id.value + " is gone.");
  if (!*sealed) return {};  // older than add-ons
  return store::from_json(box_.open(**sealed, addons_context_of(release.id)));
}

apps::ConfigVars Releases::config_by_hand(const Release& release) {
  const auto sealed = database_.first(
      "SELECT config FROM releases WHERE id = ?", [](const store::Row& row) { return row.text(0); },
      release.id);
  if (!sealed) throw std::runtime_error("The release " + release.id.value + " is gone.");
  return store::from_json(box_.open(*sealed, context_of(release.id)));
}

Result<apps::ConfigVars> Releases::set_config(const Id<apps::App>& app,
                                              const Id<accounts::Account>& user,
                                              const apps::ConfigChanges& changes) {
  std::vector<Id<Release>> changed;
  auto after = [&] {
    auto transaction = database_.begin();
    const auto last = newest(app);
    const auto before = config_by_hand(last);
    const auto given = config_from_addons(last);
    const auto wanted = by_hand(given, changes);
    auto applied = wanted ? apps::apply(before, *wanted) : std::unexpected(wanted.error());
    if (applied && *applied != before)
      changed = insert(app, {.description = describe(before, *applied),
                             .user = user,
                             .slug = {},
                             .config = *applied});
    transaction.commit();
    if (applied)
      for (const auto& [name, value] : given) (*applied)[name] = value;
    return applied;
  }();
  announce(changed);
  return after;
}

Result<void> Releases::check_rollback(const Release& release) {
  const auto refuse = [&](std::string_view why) {
    return fail(Kind::invalid, fmt::format("Cannot roll back to v{}: {}.", release.version, why));
  };
  if (release.status == Status::failed) return refuse("its release command failed");
  if (release.status == Status::expired) return refuse("it was never released");
  if (release.status == Status::pending) return refuse("its release command has not ended yet");
  if (!release.slug) return refuse("it has no slug, since nothing was deployed by then");
  const auto slug = slugs_.find(*release.slug);
  if (!slug || !slugs_.available(*slug))
    return refuse("its slug is gone; deploy that commit again instead");
  bool has_stack = false;
  for (const auto& stack : apps_.stacks()) has_stack = has_stack || stack == slug->stack;
  if (!has_stack)
    return refuse("its stack " + slug->stack +
                  " is not offered any more; deploy that commit again instead");
  return {};
}

bool Releases::eligible_for_rollback(const Release& release) {
  return check_rollback(release).has_value();
}

Result<Release> Releases::rollback(const Id<apps::App>& app, const Id<accounts::Account>& user,
                                   std::string_view identity) {
  const auto old = TRY(find(app, identity));
  if (old.current)
    return fail(Kind::invalid,
                fmt::format("Cannot roll back to v{}: it is the current release.", old.version));
  TRY(check_rollback(old));
  return append(app, {.description = fmt::format("Rollback to v{}", old.version),
                      .user = user,
                      .slug = old.slug,
                      .config = config_by_hand(old)});
}

void Releases::set_output_stream(const Id<Release>& id, std::string_view stream) {
  if (database_.run("UPDATE releases SET output_stream = ?, updated_at = ? WHERE id = ? AND status "
                    "= 'pending'",
                    stream, clock_.now(), id) > 0)
    announce({id});
}

void Releases::finish(const Id<Release>& id, Status status) {
  if (status == Status::pending) throw std::logic_error("A release cannot become pending.");
  std::vector<Id<Release>> changed;
  {
    auto transaction = database_.begin();
    const auto rows = database_.run(
        "UPDATE releases SET status = ?, updated_at = ? WHERE id = ? AND status = 'pending'",
        name_of(status), clock_.now(), id);
    if (rows > 0) changed.push_back(id);
    if (rows > 0 && status == Status::succeeded)
      for (auto& expired : expire_older(id)) changed.push_back(std::move(expired));
    transaction.commit();
  }
  announce(changed);
}

// Those that wait for a release command while a newer release runs already: they will never be
// rolled out.
std::vector<Id<Release>> Releases::expire_older(const Id<Release>& succeeded) {
  const std::string older =
      "status = 'pending' AND app = (SELECT app FROM releases WHERE id = ?1) "
      "AND version < (SELECT version FROM releases WHERE id = ?1)";
  auto expired = database_.all(
      "SELECT id FROM releases WHERE " + older,
      [](const store::Row& row) { return row.id<Release>(0); }, succeeded);
  for (const auto& each : expired)
    database_.run("UPDATE releases SET status = 'expired', updated_at = ? WHERE id = ?",
                  clock_.now(), each);
  return expired;
}

void Releases::announce(const std::vector<Id<Release>>& changed) {
  for (const auto& id : changed)
    if (const auto release = find(id)) changed_(*release);
}

}  // namespace renga::releases
