#include "redis/stores.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>

#include "base/random.h"
#include "base/report.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/private_ca.h"
#include "os/file.h"

namespace renga::redis {
namespace fs = std::filesystem;

namespace {

using provider::Servers;
using Steady = std::chrono::steady_clock;

constexpr int first_slot = 1'500;
constexpr const char* administrator = "renga";
constexpr std::chrono::seconds start_limit{10}, stop_grace{10};
constexpr std::int64_t default_timeout = 300;

constexpr const char* columns =
    "SELECT uuid, name, plan, server, password, rotating, policy, timeout, notifications, state, "
    "created_at, deleted_at FROM stores";

// Everything with one's own data, nothing with the server: its files, its settings, its users,
// other servers.
constexpr const char* users_commands =
    "~* &* +@all -@admin -@dangerous +info +keys +sort +sort_ro +flushall +flushdb +swapdb "
    "+restore "
    "+client|list +monitor +slowlog|get +slowlog|len +role +lastsave";

std::string settings(const Store& store, const Plan& plan, const std::string& administrator_hash) {
  return fmt::format(R"(# Written by renga: not the place for settings of your own.
port 0
tls-port {port}
bind 0.0.0.0
protected-mode no
tls-cert-file /server/tls/server.crt
tls-key-file /server/tls/server.key
tls-ca-cert-file /server/tls/ca.pem
tls-auth-clients no
tls-protocols "TLSv1.2 TLSv1.3"
unixsocket /server/run/redis.sock
unixsocketperm 700
dir /server/data
daemonize no
logfile ""
loglevel notice
databases 16
tcp-keepalive 60
maxclients {clients}
maxmemory {memory}
maxmemory-policy {policy}
timeout {timeout}
notify-keyspace-events "{notifications}"
save ""
appendonly {append}
appendfsync everysec
user default on #{password} {commands}
user {administrator} on #{administrator_password} ~* &* +@all
)",
                     fmt::arg("port", port), fmt::arg("clients", plan.connections + 8),
                     fmt::arg("memory", plan.memory_bytes), fmt::arg("policy", store.policy),
                     fmt::arg("timeout", store.timeout),
                     fmt::arg("notifications", store.notifications),
                     fmt::arg("append", plan.persistent ? "yes" : "no"),
                     fmt::arg("password", crypto::sha256(store.password)),
                     fmt::arg("commands", users_commands), fmt::arg("administrator", administrator),
                     fmt::arg("administrator_password", administrator_hash));
}

Result<const Plan*> known_plan(const std::string& name) {
  const auto* plan = find_plan(name);
  if (plan == nullptr) return fail(Kind::invalid, "heroku-redis has no plan " + name + ".");
  return plan;
}

void remove_tree_at(const fs::path& path) {
  if (!fs::exists(path.parent_path())) return;
  const auto parent = os::open_file(path.parent_path(), O_RDONLY | O_DIRECTORY);
  os::remove_tree(parent.get(), path.filename().string());
}

std::unexpected<Error> removed() {
  return fail(Kind::invalid, "The data of this store has been removed.");
}

}  // namespace

Stores::Stores(const provider::Surroundings& surroundings)
    : surroundings_(surroundings),
      quarantine_(surroundings.data / "quarantine"),
      password_(administrator_password()),
      servers_(
          surroundings, first_slot, {SIGTERM, stop_grace},
          [this](const provider::Server& server) { return prepare(server); },
          [this](const provider::Server& server) {
            for (const auto& store : all())
              if (store.server == server.id && store.state == "available")
                surroundings_.platform.set_config(store.uuid, {{"HEROKU_REDIS_URL", url(store)}});
          }) {
  fs::create_directories(quarantine_);
  fs::permissions(quarantine_, fs::perms(0700));
}

std::string Stores::administrator_password() {
  constexpr const char* context = "settings/administrator";
  const auto found =
      surroundings_.database.first("SELECT value FROM settings WHERE name = 'administrator'",
                                   [](const store::Row& row) { return row.text(0); });
  if (found) return surroundings_.box.open(*found, context);
  auto password = random_hex(24);
  surroundings_.database.run("INSERT INTO settings (name, value) VALUES ('administrator', ?)",
                             store::Blob{surroundings_.box.seal(password, context)});
  return password;
}

Store Stores::read(const store::Row& row) const {
  return {row.text(0),
          row.text(1),
          row.text(2),
          row.text(3),
          surroundings_.box.open(row.text(4), "store/" + row.text(0)),
          row.flag(5),
          row.text(6),
          row.integer(7),
          row.text(8),
          row.text(9),
          row.time(10),
          row.maybe_time(11)};
}

std::vector<Store> Stores::all() const {
  return surroundings_.database.all(columns, [this](const store::Row& row) { return read(row); });
}
std::optional<Store> Stores::any(const std::string& uuid) const {
  return surroundings_.database.first(
      std::string(columns) + " WHERE uuid = ?", [this](const store::Row& row) { return read(row); },
      uuid);
}

Result<Store> Stores::find(const std::string& uuid) const {
  auto found = any(uuid);
  if (!found || found->state != "available")
    return fail(Kind::not_found, found && found->state == "provisioning"
                                     ? "The store is not yet provisioned."
                                     : "There is no such store.");
  return *std::move(found);
}

std::shared_ptr<std::mutex> Stores::turn_of(const std::string& uuid) {
  const std::scoped_lock mine(turns_mutex_);
  std::erase_if(turns_, [](const auto& entry) { return entry.second.expired(); });
  auto turn = turns_[uuid].lock();
  if (!turn) turns_[uuid] = turn = std::make_shared<std::mutex>();
  return turn;
}

void Stores::set_state(Store& store, const std::string& state) {
  store.state = state;
  surroundings_.database.run("UPDATE stores SET state = ?, deleted_at = ? WHERE uuid = ?", state,
                             state == "quarantined" || state == "purging"
                                 ? std::optional(surroundings_.clock.now())
                                 : std::nullopt,
                             store.uuid);
}

std::string Stores::url(const Store& store) const {
  const auto server = servers_.find(store.server);
  return fmt::format("rediss://:{}@{}:{}", store.password, server ? server->address : "", port);
}

provider::Provisioned Stores::provisioned(const Store& store) const {
  return {store.uuid, {{"HEROKU_REDIS_URL", url(store)}}, "Key-Value Store is available"};
}

Result<provider::Provisioned> Stores::provision(const provider::Resource& resource) {
  const auto* plan = TRY(known_plan(resource.plan));
  const auto turn = turn_of(resource.uuid);
  const std::scoped_lock mine(*turn);
  auto found = any(resource.uuid);
  if (!found && resource.undelete) return removed();
  if (!found) {
    auto transaction = surroundings_.database.begin();
    const auto server = servers_.add();
    surroundings_.database.run(
        "INSERT INTO stores (uuid, name, plan, server, password, rotating, policy, timeout, "
        "notifications, state, created_at) VALUES (?, ?, ?, ?, ?, 0, 'noeviction', ?, '', "
        "'provisioning', ?)",
        resource.uuid, resource.name, plan->name, server.id,
        store::Blob{surroundings_.box.seal("p" + random_hex(32), "store/" + resource.uuid)},
        default_timeout, surroundings_.clock.now());
    transaction.commit();
    found = any(resource.uuid);
  }
  if (found->state == "purging") return removed();
  if (found->state == "quarantined" && fs::exists(aside(*found)))
    fs::rename(aside(*found), servers_.volume(found->server));
  if (found->state != "available") TRY(create(*found));
  return provisioned(*found);
}

Result<void> Stores::create(Store& store) {
  const auto volume = servers_.volume(store.server);
  Servers::make_directory(volume / "data");
  Servers::make_directory(volume / "run");
  servers_.want(store.server);
  TRY(administer(store));
  set_state(store, "available");
  return {};
}

fs::path Stores::aside(const Store& store) const { return quarantine_ / store.server; }

provider::Launch Stores::prepare(const provider::Server& server) {
  const auto volume = servers_.volume(server.id);
  const auto store = surroundings_.database.first(
      std::string(columns) + " WHERE server = ?",
      [this](const store::Row& row) { return read(row); }, server.id);
  if (!store) throw std::runtime_error("server " + server.id + " is no store's");
  const auto& plan = *find_plan(store->plan);
  const auto tls = volume / "tls";
  fs::create_directories(tls);
  const auto certificate = crypto::PrivateCa(tls).server_certificate({server.address});
  Servers::write_file(tls / "server.crt", certificate.chain, Servers::Owner::root);
  Servers::write_file(tls / "server.key", certificate.key, Servers::Owner::user);
  fs::permissions(tls, fs::perms(0755));
  Servers::write_file(volume / "redis.conf", settings(*store, plan, crypto::sha256(password_)),
                      Servers::Owner::root);
  // Twice the data, since a rewrite of the append-only file copies what changes meanwhile.
  return {
      .name = "redis-" + server.id,
      .argv = {"/usr/bin/redis-server", "/server/redis.conf"},
      .env = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}},
      .limits = {
          .memory_bytes = 2 * plan.memory_bytes + 64 * megabyte, .cpu_weight = 100, .pids = 64}};
}

Result<Connection> Stores::administer(const Store& store) {
  const auto deadline = Steady::now() + start_limit;
  while (true) {
    auto connection =
        Connection::open(servers_.volume(store.server) / "run", administrator, password_);
    if (connection || Steady::now() > deadline) return connection;
    poll(nullptr, 0, 5);
  }
}

Result<provider::Provisioned> Stores::change_plan(const std::string& uuid,
                                                  const std::string& name) {
  const auto* plan = TRY(known_plan(name));
  const auto turn = turn_of(uuid);
  const std::scoped_lock mine(*turn);
  auto store = TRY(find(uuid));
  const auto* now = find_plan(store.plan);
  if (now == plan) {
    // What an earlier try did not come to.
    servers_.restart(store.server);
    TRY(administer(store));
    return provisioned(store);
  }
  auto connection = TRY(administer(store));
  if (now->persistent && !plan->persistent)
    return fail(Kind::invalid,
                fmt::format("{} keeps nothing over a restart, so that changing from {} would lose "
                            "the data. Create another store and attach it instead.",
                            plan->name, now->name));
  if (plan->memory_bytes < now->memory_bytes) {
    const auto memory = TRY(connection.run({"INFO", "memory"}));
    const auto at = memory.find("used_memory:");
    const auto used = at == std::string::npos
                          ? std::nullopt
                          : text::number(text::lines(memory.substr(at + 12)).front());
    if (used.value_or(0) > plan->memory_bytes)
      return fail(Kind::invalid, fmt::format("The data does not fit into {}.", plan->title));
  }
  if (!now->persistent) {
    // What was in memory alone is on disk before the restart.
    TRY(connection.run({"CONFIG", "SET", "appendonly", "yes"}));
    const auto deadline = Steady::now() + start_limit;
    while (TRY(connection.run({"INFO", "persistence"})).find("aof_rewrite_in_progress:0") ==
           std::string::npos) {
      if (Steady::now() > deadline) return fail(Kind::unavailable, "The data is being written.");
      poll(nullptr, 0, 20);
    }
  }
  {
    auto transaction = surroundings_.database.begin();
    surroundings_.database.run("UPDATE stores SET plan = ? WHERE uuid = ?", plan->name, uuid);
    servers_.outdate(store.server);
    transaction.commit();
  }
  servers_.restart(store.server);
  TRY(administer(store));
  return provisioned(store);
}

Result<void> Stores::deprovision(const std::string& uuid) {
  const auto turn = turn_of(uuid);
  const std::scoped_lock mine(*turn);
  auto store = any(uuid);
  if (!store || store->state == "quarantined" || store->state == "purging")
    return fail(Kind::not_found, "This store is gone already.");
  if (store->state == "provisioning") {
    set_state(*store, "purging");
    purge(*store);
    return {};
  }
  // A plan that keeps nothing keeps at least this.
  if (!find_plan(store->plan)->persistent)
    if (auto connection = administer(*store)) (void)connection->run({"SAVE"});
  set_state(*store, "quarantined");
  servers_.stop(store->server);
  const auto volume = servers_.volume(store->server);
  if (fs::exists(volume)) fs::rename(volume, aside(*store));
  return {};
}

void Stores::purge(const Store& store) {
  servers_.stop(store.server);
  remove_tree_at(servers_.volume(store.server));
  remove_tree_at(aside(store));
  auto transaction = surroundings_.database.begin();
  servers_.forget(store.server);
  surroundings_.database.run("DELETE FROM stores WHERE uuid = ?", store.uuid);
  transaction.commit();
}

void Stores::tidy() {
  for (const auto& listed : all()) {
    if (listed.state == "available" && listed.rotating) {
      if (const auto done = rotate(listed.uuid); !done) report("redis", done.error().message);
      continue;
    }
    if (listed.state == "available") continue;
    const auto turn = turn_of(listed.uuid);
    const std::scoped_lock mine(*turn);
    auto store = any(listed.uuid);
    if (store && store->state == "provisioning")
      if (const auto made = create(*store); !made) report("redis", made.error().message);
    if (!store || !store->deleted_at) continue;
    if (store->state == "quarantined" &&
        *store->deleted_at + quarantine < surroundings_.clock.now())
      set_state(*store, "purging");
    if (store->state == "purging") purge(*store);
    if (store->state == "quarantined" && fs::exists(servers_.volume(store->server))) {
      servers_.stop(store->server);
      fs::rename(servers_.volume(store->server), aside(*store));
    }
  }
}

// The new password is written down before the server hears of it; a crash in between leaves it
// "rotating", and tidy() comes back to it.
Result<void> Stores::rotate(const std::string& uuid) {
  const auto turn = turn_of(uuid);
  const std::scoped_lock mine(*turn);
  auto store = TRY(find(uuid));
  if (!store.rotating) {
    store.password = "p" + random_hex(32);
    surroundings_.database.run("UPDATE stores SET password = ?, rotating = 1 WHERE uuid = ?",
                               store::Blob{surroundings_.box.seal(store.password, "store/" + uuid)},
                               uuid);
  }
  auto connection = TRY(administer(store));
  TRY(connection.run(
      {"ACL", "SETUSER", "default", "resetpass", "#" + crypto::sha256(store.password)}));
  {
    auto transaction = surroundings_.database.begin();
    surroundings_.database.run("UPDATE stores SET rotating = 0 WHERE uuid = ?", uuid);
    surroundings_.platform.set_config(uuid, {{"HEROKU_REDIS_URL", url(store)}});
    transaction.commit();
  }
  TRY(connection.run({"CLIENT", "KILL", "USER", "default"}));
  // The next start reads it from the file, which prepare() writes anew.
  return {};
}

Result<Store> Stores::set(const std::string& uuid, const std::string& column,
                          const store::Value& value, const std::string& setting,
                          const std::string& text) {
  const auto turn = turn_of(uuid);
  const std::scoped_lock mine(*turn);
  auto connection = TRY(administer(TRY(find(uuid))));
  TRY(connection.run({"CONFIG", "SET", setting, text}));
  surroundings_.database.run("UPDATE stores SET " + column + " = ? WHERE uuid = ?", value, uuid);
  return find(uuid);
}

Result<Store> Stores::set_policy(const std::string& uuid, const std::string& policy) {
  if (std::ranges::find(policies, policy, &Policy::name) == std::end(policies))
    return fail(Kind::invalid, "There is no maxmemory policy " + text::printable(policy) +
                                   "; noeviction and allkeys-lru are two that there are.");
  return set(uuid, "policy", policy, "maxmemory-policy", policy);
}

Result<Store> Stores::set_timeout(const std::string& uuid, std::int64_t seconds) {
  if (seconds < 0 || seconds > 86'400)
    return fail(Kind::invalid, "A timeout is a number of seconds from 0 (never) to 86400.");
  return set(uuid, "timeout", seconds, "timeout", std::to_string(seconds));
}

Result<Store> Stores::set_notifications(const std::string& uuid, const std::string& events) {
  if (events.size() > 16 || events.find_first_not_of("KEg$lshzxetdmAn") != std::string::npos)
    return fail(Kind::invalid, "Keyspace events are letters of KEg$lshzxetdmAn, such as AKE.");
  return set(uuid, "notifications", events, "notify-keyspace-events", events);
}

}  // namespace renga::redis
