#include "postgresql/databases.h"

#include <fmt/format.h>

#include "base/random.h"
#include "base/report.h"

namespace renga::postgresql {
namespace {

constexpr const char* columns =
    "SELECT uuid, name, plan, server, dbname, state, created_at, deleted_at FROM databases";

Database read(const store::Row& row) {
  return {row.text(0), row.text(1), row.text(2), row.text(3),
          row.text(4), row.text(5), row.time(6), row.maybe_time(7)};
}

Result<const Plan*> known_plan(const std::string& name) {
  const auto* plan = find_plan(name);
  if (plan == nullptr || plan == &shared_server)
    return fail(Kind::invalid, "heroku-postgresql has no plan " + name + ".");
  return plan;
}

// A letter first, as identifiers want it.
std::string random_name(char first) { return first + random_hex(7); }

// The platform waits 25 s for an answer.
constexpr std::chrono::seconds asked_limit{15}, tidy_limit{1}, retry_after{30};
constexpr std::chrono::minutes tidy_every{5};

std::unexpected<Error> removed() {
  return fail(Kind::invalid, "The data of this database has been removed.");
}

}  // namespace

Databases::Databases(const provider::Surroundings& surroundings, Clusters& clusters)
    : surroundings_(surroundings), clusters_(clusters) {}

std::shared_ptr<std::mutex> Databases::turn_of(const std::string& uuid) {
  const std::scoped_lock mine(turns_mutex_);
  std::erase_if(turns_, [](const auto& entry) { return entry.second.expired(); });
  auto turn = turns_[uuid].lock();
  if (!turn) turns_[uuid] = turn = std::make_shared<std::mutex>();
  return turn;
}

std::optional<Database> Databases::any(const std::string& uuid) const {
  return surroundings_.database.first(std::string(columns) + " WHERE uuid = ?", read, uuid);
}

std::vector<Database> Databases::all() const { return surroundings_.database.all(columns, read); }

Result<Database> Databases::find(const std::string& uuid) const {
  auto found = any(uuid);
  if (!found || found->state == "quarantined" || found->state == "purging")
    return fail(Kind::not_found, "There is no such database.");
  if (found->state != "available")
    return fail(Kind::not_found, "The database is not yet provisioned.");
  return *std::move(found);
}

void Databases::set_state(Database& database, const std::string& state) {
  database.state = state;
  surroundings_.database.run("UPDATE databases SET state = ?, deleted_at = ? WHERE uuid = ?", state,
                             state == "quarantined" || state == "purging"
                                 ? std::optional(surroundings_.clock.now())
                                 : std::nullopt,
                             database.uuid);
}

Result<provider::Provisioned> Databases::provision(const provider::Resource& resource) {
  const auto* plan = TRY(known_plan(resource.plan));
  const auto turn = turn_of(resource.uuid);
  const std::scoped_lock mine(*turn);
  auto database = any(resource.uuid);
  if (!database && resource.undelete) return removed();
  if (!database) {
    auto transaction = surroundings_.database.begin();
    database = {resource.uuid,    resource.name,  std::string(plan->name),   "",
                random_name('d'), "provisioning", surroundings_.clock.now(), {}};
    surroundings_.database.run(
        "INSERT INTO databases (uuid, name, plan, server, dbname, state, created_at) "
        "VALUES (?, ?, ?, '', ?, 'provisioning', ?)",
        database->uuid, database->name, database->plan, database->dbname, database->created_at);
    add_credential(database->uuid, "default", random_name('u'));
    database->server = clusters_.choose(*plan);
    surroundings_.database.run("UPDATE databases SET server = ? WHERE uuid = ?", database->server,
                               database->uuid);
    transaction.commit();
  }
  if (database->state == "purging") return removed();
  if (database->state == "quarantined") TRY(open_again(*database));
  if (database->state == "provisioning") {
    if (!TRY(create(*database, Clusters::after(asked_limit))))
      return provider::Provisioned{.id = database->uuid,
                                   .config = {},
                                   .message = "The database is being created",
                                   .later = true};
    set_state(*database, "available");
  }
  return provisioned(*database);
}

provider::Provisioned Databases::provisioned(const Database& database) const {
  provider::Provisioned made{.id = database.uuid, .config = {}, .message = {}};
  for (const auto& credential : credentials(database))
    if (credential.name == "default")
      made.config["HEROKU_POSTGRESQL_URL"] = url(database, credential);
  made.message = "Database has been created and is available";
  return made;
}

Result<bool> Databases::create(Database& database, Clusters::Deadline deadline) {
  if (!TRY(clusters_.ready(database.server, deadline))) return false;
  auto connection = TRY(clusters_.administer(database.server));
  for (const auto& credential : credentials(database)) {
    TRY(enable(connection, database, credential));
    set_active(database, credential);
  }
  TRY(create_database(connection, database));
  return true;
}

// Its owner is the default credential's user; others see nothing of it.
Result<void> Databases::create_database(Connection& connection, const Database& database) {
  const auto owner = TRY(credential(database, "default")).user;
  const auto there =
      TRY(connection.run("SELECT 1 FROM pg_database WHERE datname = $1", {database.dbname}));
  if (there.empty())
    TRY(connection.run(fmt::format("CREATE DATABASE {} OWNER {}", database.dbname, owner)));
  TRY(connection.run(fmt::format("REVOKE ALL ON DATABASE {} FROM PUBLIC", database.dbname)));
  for (const auto& other : credentials(database))
    if (other.state == "active")
      TRY(connection.run(fmt::format("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}",
                                     database.dbname, other.user)));
  return {};
}

void Databases::add_credential(const std::string& uuid, const std::string& name,
                               const std::string& user) {
  surroundings_.database.run(
      "INSERT INTO credentials (uuid, name, user, password, state, created_at) VALUES (?, ?, ?, ?, "
      "'enabling', ?)",
      uuid, name, user,
      store::Blob{surroundings_.box.seal("p" + random_hex(32), "credential/" + uuid + "/" + name)},
      surroundings_.clock.now());
}

// Makes the server know the user and the password, whatever it knew before.
Result<void> Databases::enable(Connection& connection, const Database& database,
                               const Credential& credential) {
  const auto* plan = find_plan(database.plan);
  const auto there =
      TRY(connection.run("SELECT 1 FROM pg_roles WHERE rolname = $1", {credential.user}));
  TRY(connection.run(
      fmt::format("{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS "
                  "CONNECTION LIMIT {} PASSWORD '{}'",
                  there.empty() ? "CREATE" : "ALTER", credential.user, plan->connections,
                  credential.password)));
  return {};
}

void Databases::set_active(const Database& database, const Credential& credential) {
  surroundings_.database.run("UPDATE credentials SET state = 'active' WHERE uuid = ? AND name = ?",
                             database.uuid, credential.name);
}

std::vector<Credential> Databases::credentials(const Database& database) const {
  return surroundings_.database.all(
      "SELECT name, user, password, state, created_at FROM credentials WHERE uuid = ? "
      "ORDER BY name <> 'default', name",
      [&](const store::Row& row) {
        return Credential{
            row.text(0), row.text(1),
            surroundings_.box.open(row.text(2), "credential/" + database.uuid + "/" + row.text(0)),
            row.text(3), row.time(4)};
      },
      database.uuid);
}

std::string Databases::url(const Database& database, const Credential& credential) const {
  return fmt::format("postgres://{}:{}@{}:{}/{}", credential.user, credential.password,
                     clusters_.target(database.server).address, port, database.dbname);
}

Result<Connection> Databases::owner_connection(const Database& database) {
  auto to = clusters_.target(database.server);
  const auto owner = TRY(credential(database, "default"));
  to.user = owner.user;
  to.password = owner.password;
  to.database = database.dbname;
  return Connection::open(to);
}

Result<provider::Provisioned> Databases::change_plan(const std::string& uuid,
                                                     const std::string& name) {
  const auto* plan = TRY(known_plan(name));
  const auto turn = turn_of(uuid);
  const std::scoped_lock mine(*turn);
  auto database = TRY(find(uuid));
  const auto* now = find_plan(database.plan);
  if (now->dedicated != plan->dedicated)
    return fail(Kind::invalid,
                fmt::format("{} and {} are on different kinds of servers. Create a database of the "
                            "new plan, move the data with pg:backups:capture and "
                            "pg:backups:restore, and promote it.",
                            now->name, plan->name));
  if (now != plan) {
    auto transaction = surroundings_.database.begin();
    surroundings_.database.run("UPDATE databases SET plan = ? WHERE uuid = ?", plan->name, uuid);
    database.plan = plan->name;
    if (plan->dedicated) clusters_.change_plan(database.server, *plan);
    transaction.commit();
  }
  clusters_.servers().restart(database.server);
  auto connection = TRY(clusters_.administer(database.server));
  for (const auto& credential : credentials(database))
    TRY(enable(connection, database, credential));
  return provisioned(database);
}

Result<void> Databases::deprovision(const std::string& uuid) {
  const auto turn = turn_of(uuid);
  const std::scoped_lock mine(*turn);
  auto database = any(uuid);
  if (!database || database->state == "quarantined" || database->state == "purging")
    return fail(Kind::not_found, "This database is gone already.");
  if (database->state == "provisioning") {
    // Nobody has had it, so nothing is in it.
    set_state(*database, "purging");
    purge(*database);
    return {};
  }
  set_state(*database, "quarantined");
  return close(*database);
}

// Out of reach for its users, with everything kept. Done again by tidy() until it works.
Result<void> Databases::close(const Database& database) {
  if (find_plan(database.plan)->dedicated) {
    clusters_.put_aside(database.server);
    return {};
  }
  auto connection = TRY(clusters_.administer(database.server));
  for (const auto& credential : credentials(database))
    TRY(connection.run(fmt::format("ALTER ROLE {} NOLOGIN", credential.user)));
  TRY(connection.run(fmt::format("ALTER DATABASE {} ALLOW_CONNECTIONS false", database.dbname)));
  TRY(connection.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
                     {database.dbname}));
  return {};
}

Result<void> Databases::open_again(Database& database) {
  if (find_plan(database.plan)->dedicated) clusters_.take_back(database.server);
  if (!TRY(clusters_.ready(database.server, Clusters::after(asked_limit))))
    return fail(Kind::unavailable, "The database server is still starting.");
  auto connection = TRY(clusters_.administer(database.server));
  TRY(connection.run(fmt::format("ALTER DATABASE {} ALLOW_CONNECTIONS true", database.dbname)));
  for (const auto& credential : credentials(database))
    TRY(enable(connection, database, credential));
  set_state(database, "available");
  return {};
}

void Databases::purge(const Database& database) {
  if (find_plan(database.plan)->dedicated) {
    clusters_.remove(database.server);
  } else if (const auto listed = clusters_.servers().find(database.server);
             listed && listed->wanted) {
    auto connection = clusters_.administer(database.server);
    if (!connection) return;  // tidy() comes back
    const auto drop = [&](const std::string& sql) { return connection->run(sql).has_value(); };
    if (!drop(fmt::format("DROP DATABASE IF EXISTS {} WITH (FORCE)", database.dbname))) return;
    for (const auto& credential : credentials(database))
      if (!drop(fmt::format("DROP ROLE IF EXISTS {}", credential.user))) return;
  }
  surroundings_.database.run("DELETE FROM databases WHERE uuid = ?", database.uuid);
}

Duration Databases::tidy() {
  Duration pause = tidy_every;
  for (const auto& listed : all()) {
    try {
      pause = std::min(pause, tidy(listed));
    } catch (const std::exception& error) {
      report("postgresql", "tidying " + listed.name + ": " + error.what());
    }
  }
  return pause;
}

Duration Databases::tidy(const Database& listed) {
  if (listed.state == "available") {
    for (const auto& credential : credentials(listed)) {
      if (credential.state != "enabling") continue;
      const auto finished = rotate(listed, credential.name);
      if (!finished) report("postgresql", finished.error().message);
    }
    return tidy_every;
  }
  const auto turn = turn_of(listed.uuid);
  const std::scoped_lock mine(*turn);
  auto database = any(listed.uuid);
  if (database && database->state == "provisioning") {
    const auto made = create(*database, Clusters::after(tidy_limit));
    if (!made) report("postgresql", made.error().message);
    if (!made || !*made) return made ? tidy_limit : retry_after;
    const auto owner = credential(*database, "default").value();
    auto transaction = surroundings_.database.begin();
    set_state(*database, "available");
    surroundings_.platform.provisioned(database->uuid,
                                       {{"HEROKU_POSTGRESQL_URL", url(*database, owner)}});
    transaction.commit();
    return tidy_every;
  }
  if (!database || !database->deleted_at) return tidy_every;
  const auto age = surroundings_.clock.now() - *database->deleted_at;
  if (database->state == "quarantined" && age > quarantine) set_state(*database, "purging");
  if (database->state == "purging") purge(*database);
  if (database->state == "quarantined" && age < std::chrono::hours(1))
    if (const auto closed = close(*database); !closed) report("postgresql", closed.error().message);
  return tidy_every;
}

void Databases::moved(const std::string& server) {
  for (const auto& database : all()) {
    if (database.server != server || database.state != "available") continue;
    for (const auto& credential : credentials(database)) tell(database, credential);
  }
}

void Databases::tell(const Database& database, const Credential& credential) {
  surroundings_.platform.set_config(
      database.uuid, {{"HEROKU_POSTGRESQL_URL", url(database, credential)}},
      credential.name == "default" ? "" : "credential:" + credential.name);
}

}  // namespace renga::postgresql
