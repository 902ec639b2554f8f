#include "addons/catalog.h"

#include <fmt/format.h>

#include <stdexcept>

#include "base/random.h"
#include "base/text.h"
#include "store/text_map.h"

namespace renga::addons {
namespace {

constexpr std::string_view select_service =
    "SELECT id, manifest, created_at, updated_at FROM addon_services ";
constexpr std::string_view select_plan =
    "SELECT p.id, p.service, s.name, p.name, p.human_name, p.description, p.state, p.cents, "
    "p.unit, p.contract, p.is_default, p.visible, p.offered, p.created_at, p.updated_at "
    "FROM plans p JOIN addon_services s ON s.id = p.service ";

Service read_service(const store::Row& row) {
  auto manifest = Manifest::parse(row.text(1));
  if (!manifest) throw std::runtime_error("a stored manifest: " + manifest.error().message);
  return {row.id<Service>(0), *std::move(manifest), row.time(2), row.time(3)};
}

Plan read_plan(const store::Row& row) {
  return {.id = row.id<Plan>(0),
          .service = row.id<Service>(1),
          .service_name = row.text(2),
          .name = row.text(3),
          .human_name = row.text(4),
          .description = row.text(5),
          .state = row.text(6),
          .cents = row.integer(7),
          .unit = row.text(8),
          .contract = row.flag(9),
          .is_default = row.flag(10),
          .visible = row.flag(11),
          .offered = row.flag(12),
          .created_at = row.time(13),
          .updated_at = row.time(14)};
}

std::string context_of(const Id<Service>& id) { return "addon-service/" + id.value; }

std::string joined(std::string_view select, std::string_view rest) {
  return std::string(select) + std::string(rest);
}

// The new one, else the one there was, else a made-up one, which is noted.
std::string settle(const std::string& wanted, const std::string& known, std::string& made_up) {
  if (!wanted.empty()) return wanted;
  if (!known.empty()) return known;
  made_up = random_hex(16);
  return made_up;
}

}  // namespace

Secrets Catalog::made_up() { return {random_hex(16), random_hex(16), random_hex(16)}; }

Result<Catalog::Registered> Catalog::put(const Manifest& manifest) {
  const auto now = clock_.now();
  auto transaction = database_.begin();
  const auto known = service(manifest.id);
  const auto id = known ? known->id : Id<Service>::create();
  if (known && known->manifest.prefix != manifest.prefix) {
    const auto used = database_.first(
        "SELECT 1 FROM addons WHERE service = ? AND state != 'deprovisioned'",
        [](const auto&) { return true; }, id);
    if (used)
      return fail(
          Kind::invalid,
          fmt::format("The prefix of {}'s config vars is {} and cannot become {}: there are "
                      "add-ons of it. Register another service instead.",
                      manifest.id, known->manifest.prefix, manifest.prefix));
  }

  Registered registered;
  const auto before = known ? secrets(id) : Secrets{};
  auto& made = registered.made_up;
  registered.secrets.password = settle(manifest.secrets.password, before.password, made.password);
  registered.secrets.sso_salt = settle(manifest.secrets.sso_salt, before.sso_salt, made.sso_salt);
  registered.secrets.client_secret =
      settle(manifest.secrets.client_secret, before.client_secret, made.client_secret);
  const auto sealed =
      box_.seal(store::to_json({{"password", registered.secrets.password},
                                {"sso_salt", registered.secrets.sso_salt},
                                {"client_secret", registered.secrets.client_secret}}),
                context_of(id));
  database_.run(
      "INSERT INTO addon_services (id, name, manifest, secrets, created_at, updated_at) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?5) "
      "ON CONFLICT (id) DO UPDATE SET manifest = ?3, secrets = ?4, updated_at = ?5",
      id, manifest.id, manifest.to_json(), store::Blob{sealed}, now);
  put_plans(id, manifest, now);
  registered.service = service(id);
  transaction.commit();
  return registered;
}

void Catalog::put_plans(const Id<Service>& id, const Manifest& manifest, Time now) {
  database_.run("UPDATE plans SET offered = 0, is_default = 0 WHERE service = ?", id);
  int ordinal = 0;
  for (const auto& plan : manifest.plans)
    database_.run(
        "INSERT INTO plans (id, service, name, ordinal, human_name, description, state, cents, "
        "unit, "
        "contract, is_default, visible, offered, created_at, updated_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 1, ?13, ?13) "
        "ON CONFLICT (service, name) DO UPDATE SET ordinal = ?4, human_name = ?5, description = "
        "?6, "
        "state = ?7, cents = ?8, unit = ?9, contract = ?10, is_default = ?11, visible = ?12, "
        "offered = 1, updated_at = ?13",
        Id<Plan>::create(), id, plan.name, ordinal++, plan.human_name, plan.description, plan.state,
        plan.cents, plan.unit, plan.contract, plan.is_default, plan.visible, now);
}

Result<Service> Catalog::remove(std::string_view identity) {
  auto transaction = database_.begin();
  auto found = TRY(service(identity));
  const auto used = database_.first(
      "SELECT count(*) FROM addons WHERE service = ? AND state != 'deprovisioned'",
      [](const store::Row& row) { return row.integer(0); }, found.id);
  if (used.value_or(0) > 0)
    return fail(Kind::conflict, fmt::format("There are {} add-ons of {}. Destroy them first.",
                                            *used, found.name()));
  database_.run("DELETE FROM addons WHERE service = ?", found.id);
  database_.run("DELETE FROM addon_services WHERE id = ?", found.id);
  transaction.commit();
  return found;
}

std::vector<Service> Catalog::services() {
  return database_.all(joined(select_service, "ORDER BY name"), read_service);
}

Result<Service> Catalog::service(std::string_view identity) {
  auto found = database_.first(joined(select_service, "WHERE name = ? OR id = ?"), read_service,
                               identity, text::lower(identity));
  if (!found) return fail(Kind::not_found, "Couldn't find that add-on service.");
  return *std::move(found);
}

Service Catalog::service(const Id<Service>& id) {
  auto found = database_.first(joined(select_service, "WHERE id = ?"), read_service, id);
  if (!found) throw std::runtime_error("The add-on service " + id.value + " is gone.");
  return *std::move(found);
}

std::vector<Plan> Catalog::plans(const Id<Service>& id) {
  return database_.all(joined(select_plan, "WHERE p.service = ? AND p.offered ORDER BY p.ordinal"),
                       read_plan, id);
}

Result<Plan> Catalog::plan(std::string_view identity) {
  const auto [service, name] = text::split_once(identity, ':');
  auto found =
      is_uuid(identity)
          ? database_.first(joined(select_plan, "WHERE p.id = ?"), read_plan, text::lower(identity))
      : name.empty() ? database_.first(joined(select_plan, "WHERE s.name = ? AND p.is_default"),
                                       read_plan, service)
                     : database_.first(joined(select_plan, "WHERE s.name = ? AND p.name = ?"),
                                       read_plan, service, name);
  if (!found || !found->offered)
    return fail(Kind::not_found,
                "Couldn't find either the add-on service or the add-on plan of \"" +
                    text::printable(identity.substr(0, 100)) + "\".");
  return *std::move(found);
}

Plan Catalog::plan(const Id<Plan>& id) {
  auto found = database_.first(joined(select_plan, "WHERE p.id = ?"), read_plan, id);
  if (!found) throw std::runtime_error("The plan " + id.value + " is gone.");
  return *std::move(found);
}

Secrets Catalog::secrets(const Id<Service>& id) {
  const auto sealed = database_.first(
      "SELECT secrets FROM addon_services WHERE id = ?",
      [](const store::Row& row) { return row.text(0); }, id);
  if (!sealed) throw std::runtime_error("The add-on service " + id.value + " is gone.");
  auto map = store::from_json(box_.open(*sealed, context_of(id)));
  return {map["password"], map["sso_salt"], map["client_secret"]};
}

}  // namespace renga::addons
