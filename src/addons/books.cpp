#include "addons/books.h"

#include <array>
#include <stdexcept>
#include <utility>

#include "store/text_map.h"

namespace renga::addons {
namespace {

constexpr std::array<std::pair<State, std::string_view>, 4> states = {
    {{State::provisioning, "provisioning"},
     {State::provisioned, "provisioned"},
     {State::deprovisioning, "deprovisioning"},
     {State::deprovisioned, "deprovisioned"}}};
constexpr std::array<std::pair<Task, std::string_view>, 5> tasks = {
    {{Task::none, "none"},
     {Task::provision, "provision"},
     {Task::wait, "wait"},
     {Task::update, "update"},
     {Task::deprovision, "deprovision"}}};

template <class Words, class Value>
std::string_view name_in(const Words& words, Value value) {
  for (const auto& [each, name] : words)
    if (each == value) return name;
  throw std::logic_error("an add-on has no such word");
}

template <class Words>
auto value_in(const Words& words, const std::string& text) {
  for (const auto& [value, name] : words)
    if (name == text) return value;
  throw std::runtime_error("An add-on has the unknown word " + text + ".");
}

std::string select(std::string_view rest) {
  return "SELECT id, name, app, app_name, service, plan, user, state, task, wanted_plan, attempts, "
         "due_at, problem, confirmed, announced, gone_at, former_owner, provider_id, message, "
         "created_at, updated_at "
         "FROM addons " +
         std::string(rest);
}

Addon read(const store::Row& row) {
  return {.id = row.id<Addon>(0),
          .name = row.text(1),
          .app = row.id<apps::App>(2),
          .app_name = row.text(3),
          .service = row.id<Service>(4),
          .plan = row.id<Plan>(5),
          .user = row.id<accounts::Account>(6),
          .state = value_in(states, row.text(7)),
          .task = value_in(tasks, row.text(8)),
          .wanted_plan = row.maybe_id<Plan>(9),
          .attempts = static_cast<int>(row.integer(10)),
          .due_at = row.maybe_time(11),
          .problem = row.text(12),
          .confirmed = row.flag(13),
          .announced = row.flag(14),
          .gone_at = row.maybe_time(15),
          .former_owner = row.maybe_id<accounts::Account>(16),
          .provider_id = row.text(17),
          .message = row.text(18),
          .created_at = row.time(19),
          .updated_at = row.time(20)};
}

std::string select_attachment(std::string_view rest) {
  return "SELECT id, addon, app, name, namespace, created_at, updated_at FROM addon_attachments " +
         std::string(rest);
}

Attachment read_attachment(const store::Row& row) {
  return {.id = row.id<Attachment>(0),
          .addon = row.id<Addon>(1),
          .app = row.id<apps::App>(2),
          .name = row.text(3),
          .name_space = row.maybe_text(4),
          .created_at = row.time(5),
          .updated_at = row.time(6)};
}

std::string options_context(const Id<Addon>& id) { return "addon-options/" + id.value; }
std::string config_context(const Id<Addon>& id, std::string_view name_space) {
  return "addon-config/" + id.value + "/" + std::string(name_space);
}

}  // namespace

void Books::insert(const Addon& addon, const std::map<std::string, std::string>& options) {
  database_.run(
      "INSERT INTO addons (id, name, app, app_name, service, plan, user, state, task, wanted_plan, "
      "attempts, due_at, options, created_at, updated_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      addon.id, addon.name, addon.app, addon.app_name, addon.service, addon.plan, addon.user,
      name_in(states, addon.state), name_in(tasks, addon.task), addon.wanted_plan, addon.attempts,
      addon.due_at, store::Blob{box_.seal(store::to_json(options), options_context(addon.id))},
      addon.created_at, addon.updated_at);
}

void Books::update(Addon addon) {
  addon.updated_at = clock_.now();
  database_.run(
      "UPDATE addons SET name = ?, app = ?, app_name = ?, plan = ?, user = ?, state = ?, task = ?, "
      "wanted_plan = ?, attempts = ?, due_at = ?, problem = ?, confirmed = ?, announced = ?, "
      "gone_at = ?, former_owner = ?, provider_id = ?, message = ?, created_at = ?, "
      "updated_at = ? WHERE id = ?",
      addon.name, addon.app, addon.app_name, addon.plan, addon.user, name_in(states, addon.state),
      name_in(tasks, addon.task), addon.wanted_plan, addon.attempts, addon.due_at, addon.problem,
      addon.confirmed, addon.announced, addon.gone_at, addon.former_owner, addon.provider_id,
      addon.message, addon.created_at, addon.updated_at, addon.id);
}

void Books::note_destroyed(Addon& addon) {
  if (addon.gone_at) return;
  addon.gone_at = clock_.now();
  addon.former_owner = database_.first(
      "SELECT owner FROM apps WHERE id = ?",
      [](const store::Row& row) { return row.id<accounts::Account>(0); }, addon.app);
}

std::optional<Addon> Books::find(const Id<Addon>& id) {
  return database_.first(select("WHERE id = ?"), read, id);
}

std::optional<Addon> Books::find_by_name(std::string_view name) {
  return database_.first(
      select("WHERE name = ? ORDER BY state = 'deprovisioned', updated_at DESC LIMIT 1"), read,
      name);
}

std::vector<Addon> Books::all() {
  return database_.all(select("WHERE state != 'deprovisioned' ORDER BY name"), read);
}

std::vector<Addon> Books::all_on(const Id<apps::App>& app) {
  return database_.all(select("WHERE app = ? AND state != 'deprovisioned' ORDER BY name"), read,
                       app);
}

std::vector<Addon> Books::destroyed_since(Time time) {
  return database_.all(
      select("WHERE state = 'deprovisioned' AND gone_at > ? ORDER BY gone_at DESC"), read, time);
}

std::vector<Addon> Books::orphans() {
  return database_.all(select("WHERE state IN ('provisioning', 'provisioned') "
                              "AND app NOT IN (SELECT id FROM apps)"),
                       read);
}

std::vector<Addon> Books::due(Time now) {
  return database_.all(select("WHERE task != 'none' AND due_at <= ? ORDER BY due_at LIMIT 100"),
                       read, now);
}

std::optional<Time> Books::next_due() {
  const auto found = database_.first("SELECT min(due_at) FROM addons WHERE task != 'none'",
                                     [](const store::Row& row) { return row.maybe_time(0); });
  return found ? *found : std::nullopt;
}

void Books::all_due_now() {
  database_.run("UPDATE addons SET due_at = ?1 WHERE task NOT IN ('none', 'wait') AND due_at > ?1",
                clock_.now());
}

void Books::forget_older_than(Time before) {
  database_.run("DELETE FROM addons WHERE state = 'deprovisioned' AND updated_at < ?", before);
}

std::map<std::string, std::string> Books::options(const Id<Addon>& id) {
  const auto sealed = database_.first(
      "SELECT options FROM addons WHERE id = ?", [](const store::Row& row) { return row.text(0); },
      id);
  return sealed ? store::from_json(box_.open(*sealed, options_context(id)))
                : std::map<std::string, std::string>();
}

std::map<std::string, std::string> Books::config(const Id<Addon>& id, std::string_view name_space) {
  const auto sealed = database_.first(
      "SELECT vars FROM addon_config WHERE addon = ? AND namespace = ?",
      [](const store::Row& row) { return row.text(0); }, id, name_space);
  return sealed ? store::from_json(box_.open(*sealed, config_context(id, name_space)))
                : std::map<std::string, std::string>();
}

void Books::set_config(const Id<Addon>& id, std::string_view name_space,
                       const std::map<std::string, std::string>& vars) {
  database_.run("INSERT OR REPLACE INTO addon_config (addon, namespace, vars) VALUES (?, ?, ?)", id,
                name_space,
                store::Blob{box_.seal(store::to_json(vars), config_context(id, name_space))});
}

void Books::forget_config(const Id<Addon>& id) {
  database_.run("DELETE FROM addon_config WHERE addon = ?", id);
  database_.run("DELETE FROM addon_tokens WHERE addon = ?", id);
  database_.run("DELETE FROM addon_grants WHERE addon = ?", id);
}

void Books::insert(const Attachment& attachment) {
  database_.run(
      "INSERT INTO addon_attachments (id, addon, app, name, namespace, created_at, updated_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)",
      attachment.id, attachment.addon, attachment.app, attachment.name, attachment.name_space,
      attachment.created_at, attachment.updated_at);
}

void Books::rename(const Id<Attachment>& id, std::string_view name) {
  database_.run("UPDATE addon_attachments SET name = ?, updated_at = ? WHERE id = ?", name,
                clock_.now(), id);
}

void Books::remove(const Id<Attachment>& id) {
  database_.run("DELETE FROM addon_attachments WHERE id = ?", id);
}

std::optional<Attachment> Books::find(const Id<Attachment>& id) {
  return database_.first(select_attachment("WHERE id = ?"), read_attachment, id);
}

std::vector<Attachment> Books::attachments() {
  return database_.all(select_attachment("ORDER BY created_at, id"), read_attachment);
}

std::vector<Attachment> Books::attachments_of(const Id<Addon>& addon) {
  return database_.all(select_attachment("WHERE addon = ? ORDER BY created_at, id"),
                       read_attachment, addon);
}

std::vector<Attachment> Books::attachments_on(const Id<apps::App>& app) {
  return database_.all(select_attachment("WHERE app = ? ORDER BY name"), read_attachment, app);
}

void Books::owe(const OwedRelease& release) {
  database_.run("INSERT INTO addon_releases (app, description, user, command) VALUES (?, ?, ?, ?)",
                release.app, release.description, release.user, release.command);
}

std::vector<Id<apps::App>> Books::owed_apps() {
  return database_.all("SELECT app FROM addon_releases GROUP BY app ORDER BY min(ordinal)",
                       [](const store::Row& row) { return row.id<apps::App>(0); });
}

std::optional<Books::OwedRelease> Books::take_owed(const Id<apps::App>& app) {
  std::int64_t ordinal = 0;
  auto found = database_.first(
      "SELECT ordinal, description, user, command FROM addon_releases WHERE app = ? "
      "ORDER BY ordinal LIMIT 1",
      [&](const store::Row& row) {
        ordinal = row.integer(0);
        return OwedRelease{app, row.text(1), row.id<accounts::Account>(2), row.flag(3)};
      },
      app);
  if (found) database_.run("DELETE FROM addon_releases WHERE ordinal = ?", ordinal);
  return found;
}

}  // namespace renga::addons
