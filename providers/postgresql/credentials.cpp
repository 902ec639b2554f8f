// The users of one database. "default" owns it and everything in it; others begin with nothing but
// the right to connect, and are given what they may by the owner (GRANT).
#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "postgresql/databases.h"

namespace renga::postgresql {
namespace {

constexpr std::size_t most_credentials = 20;

bool is_credential_name(const std::string& name) {
  return name.size() >= 2 && name.size() <= 50 && name.front() >= 'a' && name.front() <= 'z' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

}  // namespace

Result<Credential> Databases::credential(const Database& database, const std::string& name) const {
  for (auto& credential : credentials(database))
    if (credential.name == name) return std::move(credential);
  return fail(Kind::not_found,
              fmt::format("Database {} has no credential {}.", database.name, name));
}

Result<Credential> Databases::create_credential(const Database& database, const std::string& name) {
  if (!find_plan(database.plan)->dedicated)
    return fail(Kind::invalid, fmt::format("Plan {} has no credentials beside the default one. The "
                                           "standard plans have.",
                                           database.plan));
  if (!is_credential_name(name))
    return fail(
        Kind::invalid,
        "A credential's name is 2 to 50 lower-case letters, digits, - and _, beginning with "
        "a letter.");
  if (credentials(database).size() >= most_credentials)
    return fail(Kind::invalid, "A database has at most 20 credentials.");
  {
    const auto turn = turn_of(database.uuid);
    const std::scoped_lock mine(*turn);
    if (credential(database, name))
      return fail(Kind::invalid, fmt::format("There is a credential {} already.", name));
    add_credential(database.uuid, name, "u" + random_hex(7));
  }
  TRY(rotate(database, name));
  return credential(database, name);
}

Result<void> Databases::destroy_credential(const Database& database, const std::string& name) {
  if (name == "default")
    return fail(Kind::invalid, "The default credential cannot be destroyed. Rotate it instead.");
  const auto turn = turn_of(database.uuid);
  const std::scoped_lock mine(*turn);
  const auto gone = TRY(credential(database, name));
  const auto owner = TRY(credential(database, "default"));
  auto connection = TRY(clusters_.administer(database.server, database.dbname));
  if (!TRY(connection.run("SELECT 1 FROM pg_roles WHERE rolname = $1", {gone.user})).empty()) {
    TRY(connection.run(fmt::format("ALTER ROLE {} NOLOGIN", gone.user)));
    TRY(connection.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1",
                       {gone.user}));
    TRY(connection.run(fmt::format("REASSIGN OWNED BY {} TO {}", gone.user, owner.user)));
    TRY(connection.run(fmt::format("DROP OWNED BY {}", gone.user)));
    TRY(connection.run(fmt::format("DROP ROLE {}", gone.user)));
  }
  surroundings_.database.run("DELETE FROM credentials WHERE uuid = ? AND name = ?", database.uuid,
                             name);
  return {};
}

// The new password is written down before the server hears of it; a crash in between leaves it
// "enabling", and tidy() comes back to it. The apps hear of it in the transaction that ends this.
Result<void> Databases::rotate(const Database& database, const std::string& name) {
  const auto turn = turn_of(database.uuid);
  const std::scoped_lock mine(*turn);
  auto rotated = TRY(credential(database, name));
  if (rotated.state == "active") {
    rotated.password = "p" + random_hex(32);
    surroundings_.database.run(
        "UPDATE credentials SET password = ?, state = 'enabling' WHERE uuid = ? AND name = ?",
        store::Blob{
            surroundings_.box.seal(rotated.password, "credential/" + database.uuid + "/" + name)},
        database.uuid, name);
  }
  auto connection = TRY(clusters_.administer(database.server));
  TRY(enable(connection, database, rotated));
  {
    auto transaction = surroundings_.database.begin();
    set_active(database, rotated);
    tell(database, rotated);
    transaction.commit();
  }
  const auto owner = TRY(credential(database, "default"));
  if (name != "default") {
    TRY(connection.run(fmt::format("GRANT {} TO {}", rotated.user, owner.user)));
    TRY(connection.run(fmt::format("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}", database.dbname,
                                   rotated.user)));
  }
  TRY(connection.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1",
                     {rotated.user}));
  return {};
}

Result<void> Databases::end_sessions(const Database& database) {
  auto connection = TRY(clusters_.administer(database.server));
  TRY(connection.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
                     {database.dbname}));
  return {};
}

Result<void> Databases::reset(const Database& listed) {
  const auto turn = turn_of(listed.uuid);
  const std::scoped_lock mine(*turn);
  auto database = TRY(find(listed.uuid));
  auto connection = TRY(clusters_.administer(database.server));
  // A crash behind the DROP leaves what tidy() carries on.
  set_state(database, "provisioning");
  TRY(connection.run(fmt::format("DROP DATABASE IF EXISTS {} WITH (FORCE)", database.dbname)));
  TRY(create_database(connection, database));
  set_state(database, "available");
  return {};
}

}  // namespace renga::postgresql
