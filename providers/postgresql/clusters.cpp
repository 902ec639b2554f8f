#include "postgresql/clusters.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/fault.h"
#include "base/random.h"
#include "base/report.h"
#include "base/text.h"
#include "crypto/private_ca.h"
#include "os/file.h"
#include "os/process.h"

namespace renga::postgresql {
namespace fs = std::filesystem;

namespace {

using Owner = provider::Servers::Owner;
using Steady = std::chrono::steady_clock;

constexpr int first_slot = 0;
constexpr int most_databases = 40;  // on one shared server

// The administrator comes from the host, or over the socket, which only jobs see.
constexpr const char* pg_hba = R"(# Written by renga.
local   all all                       scram-sha-256
hostssl all postgres 169.254.1.1/32   scram-sha-256
host    all postgres 0.0.0.0/0        reject
hostssl all all      0.0.0.0/0        scram-sha-256
)";

std::string settings(const Plan& plan) {
  const auto mib = plan.memory_bytes >> 20;
  const auto buffers = plan.dedicated ? mib / 4 : 32;
  const auto work = plan.dedicated ? std::clamp<std::int64_t>(mib / plan.connections, 4, 64) : 4;
  return fmt::format(
      R"(# Written by renga: not the place for settings of your own.
listen_addresses = '*'
port = {port}
unix_socket_directories = '/server/run'
hba_file = '/server/pg_hba.conf'
ssl = on
ssl_cert_file = '/server/tls/server.crt'
ssl_key_file = '/server/tls/server.key'
ssl_min_protocol_version = 'TLSv1.2'
password_encryption = 'scram-sha-256'
max_connections = {connections}
superuser_reserved_connections = 5
shared_buffers = {buffers}MB
effective_cache_size = {cache}MB
work_mem = {work}MB
maintenance_work_mem = {maintenance}MB
temp_file_limit = 2GB
huge_pages = off
max_worker_processes = 8
max_parallel_workers_per_gather = {parallel}
autovacuum_max_workers = 2
jit = off
wal_compression = on
min_wal_size = 80MB
max_wal_size = 1GB
checkpoint_timeout = 15min
tcp_keepalives_idle = 60
tcp_keepalives_interval = 15
tcp_keepalives_count = 4
log_min_messages = log
log_line_prefix = '%m [%p] %u@%d '
timezone = 'UTC'
)",
      fmt::arg("port", port), fmt::arg("connections", plan.connections + 5),
      fmt::arg("buffers", buffers), fmt::arg("cache", std::max<std::int64_t>(mib / 2, 128)),
      fmt::arg("work", work), fmt::arg("maintenance", plan.dedicated ? mib / 16 : 32),
      fmt::arg("parallel", plan.dedicated ? 2 : 0));
}

// A CA of the server's own and a certificate for its address, made anew when either is due.
void write_certificate(const fs::path& tls, const std::string& address) {
  fs::create_directories(tls);
  const auto certificate = crypto::PrivateCa(tls).server_certificate({address});
  provider::Servers::write_file(tls / "server.crt", certificate.chain, Owner::root);
  provider::Servers::write_file(tls / "server.key", certificate.key, Owner::user);
  // Of the files with keys in them, only the server's own is its user's to read.
  fs::permissions(tls, fs::perms(0755));
}

void sync_file_system(const fs::path& path) {
  const auto directory = os::open_file(path, O_RDONLY | O_DIRECTORY);
  if (syncfs(directory.get()) != 0) fault("write " + path.string() + " to the disk");
}

void copy_tree(const fs::path& from, const fs::path& to) {
  // One that went on without the provider would write over what the next one makes there.
  const auto copied =
      os::run({.argv = {"setpriv", "--pdeathsig", "KILL", "cp", "-a", "--reflink=auto", from, to}},
              {}, std::chrono::seconds(20));
  if (copied.status != 0) fault(EIO, "copy " + from.string() + ": " + copied.err);
}

void remove_tree_at(const fs::path& path) {
  if (!fs::exists(path.parent_path())) return;
  const auto parent = os::open_file(path.parent_path(), O_RDONLY | O_DIRECTORY);
  os::remove_tree(parent.get(), path.filename().string());
}

}  // namespace

fs::path programs() {
  // The newest that is there: "15", "16", …
  fs::path best;
  int newest = 0;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", none)) {
    const auto version = text::number(entry.path().filename().string()).value_or(0);
    if (version <= newest || !fs::exists(entry.path() / "bin/initdb")) continue;
    newest = static_cast<int>(version);
    best = entry.path() / "bin";
  }
  return best;
}

Clusters::Clusters(const provider::Surroundings& surroundings, provider::Servers::Moved moved)
    : surroundings_(surroundings),
      template_(surroundings.data / "template"),
      quarantine_(surroundings.data / "quarantine"),
      password_(administrator_password()),
      servers_(
          surroundings, first_slot, {SIGINT, stop_grace},
          [this](const provider::Server& server) { return prepare(server); }, std::move(moved)),
      initial_maker_("postgresql", [this]() -> Duration {
        if (initial_wanted_.exchange(false))
          if (const auto made = initial_data(); !made)
            *initial_trouble_.lock() = made.error().message;
        return std::chrono::hours(24);
      }) {
  fs::create_directories(quarantine_);
  fs::permissions(quarantine_, fs::perms(0700));
}

void Clusters::start() {
  servers_.start();
  initial_maker_.start();
}

std::string Clusters::administrator_password() {
  const auto& box = surroundings_.box;
  constexpr const char* context = "settings/administrator";
  const auto found =
      surroundings_.database.first("SELECT value FROM settings WHERE name = 'administrator'",
                                   [](const store::Row& row) { return row.text(0); });
  if (found) return box.open(*found, context);
  auto password = random_hex(24);
  surroundings_.database.run("INSERT INTO settings (name, value) VALUES ('administrator', ?)",
                             store::Blob{box.seal(password, context)});
  return password;
}

Plan Clusters::plan_of(const std::string& server) const {
  const auto name = surroundings_.database.first(
      "SELECT plan FROM clusters WHERE server = ?",
      [](const store::Row& row) { return row.text(0); }, server);
  const auto* plan = find_plan(name.value_or("shared"));
  return plan == nullptr ? shared_server : *plan;
}

std::string Clusters::choose(const Plan& plan) {
  auto transaction = surroundings_.database.begin();
  auto& database = surroundings_.database;
  if (!plan.dedicated) {
    // One that refuses to start takes nobody else down with it. But where not even a new one has
    // ever served, the reason is another, and more new ones would not help.
    const auto found = database.all(
        "SELECT server, EXISTS (SELECT 1 FROM databases WHERE databases.server = clusters.server "
        "AND state <> 'provisioning') FROM clusters WHERE plan = 'shared' AND "
        "(SELECT count(*) FROM databases WHERE databases.server = clusters.server) < ? "
        "ORDER BY created_at",
        [](const store::Row& row) { return std::pair(row.text(0), row.flag(1)); }, most_databases);
    for (const auto& [server, has_served] : found)
      if (!has_served || !servers_.fails(server)) return transaction.commit(), server;
  }
  const auto server = servers_.add();
  database.run("INSERT INTO clusters (server, plan, created_at) VALUES (?, ?, ?)", server.id,
               plan.dedicated ? plan.name : shared_server.name, surroundings_.clock.now());
  transaction.commit();
  return server.id;
}

fs::path Clusters::initial_directory() const {
  return template_ / programs().parent_path().filename();
}

Result<fs::path> Clusters::initial_data() {
  const std::scoped_lock mine(making_);
  const auto made = initial_directory();
  if (fs::exists(made)) return made / "data";

  const auto beside = fs::path(made.string() + ".new");
  remove_tree_at(beside);
  fs::create_directories(beside);
  fs::permissions(template_, fs::perms(0700));
  provider::Servers::make_directory(beside / "data");
  // Nobody but the administrator has business in the databases that are there from the beginning.
  const auto script =
      "set -e\n"
      "printf %s \"$ADMINISTRATOR\" >/tmp/password\n"
      "initdb -D /made/data -U postgres -A scram-sha-256 --pwfile=/tmp/password -E UTF8 "
      "--locale=C.UTF-8 --no-sync\n"
      "echo 'REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC' | "
      "postgres --single -D /made/data postgres\n";
  const auto end = TRY(servers_.run({.name = "initdb",
                                     .argv = {"/bin/sh", "-c", script},
                                     .env = {{"PATH", programs().string() + ":/usr/bin:/bin"},
                                             {"ADMINISTRATOR", password_},
                                             {"LC_ALL", "C.UTF-8"}},
                                     .mounts = {{beside.string(), "/made", true}},
                                     .limits = {.memory_bytes = 512LL << 20},
                                     .limit = std::chrono::minutes(5),
                                     .go_on = [this] { return !initial_maker_.stopping(); }}));
  if (end.status != 0) {
    report("postgresql", "initdb failed: " + text::printable(end.output));
    return fail(Kind::unavailable,
                "A database server cannot be made: initdb failed. Its output is "
                "in the platform's log.");
  }
  sync_file_system(beside);
  fs::rename(beside, made);
  return made / "data";
}

// initdb takes a second, or many where the machine is busy: a thread of its own makes it.
Result<bool> Clusters::initial_data_by(Deadline deadline) {
  if (fs::exists(initial_directory())) return true;
  initial_trouble_.lock()->clear();
  initial_wanted_ = true;
  initial_maker_.poke();
  while (!fs::exists(initial_directory())) {
    if (const auto trouble = *initial_trouble_.lock(); !trouble.empty())
      return fail(Kind::unavailable, trouble);
    if (Steady::now() > deadline) return false;
    poll(nullptr, 0, 10);
  }
  return true;
}

Result<bool> Clusters::ready(const std::string& server, Deadline deadline) {
  const auto volume = servers_.volume(server);
  if (!fs::exists(volume / "data")) {
    if (!TRY(initial_data_by(deadline))) return false;
    const auto from = TRY(initial_data());
    const std::scoped_lock mine(making_);
    if (!fs::exists(volume / "data")) {
      remove_tree_at(volume / "data.new");
      copy_tree(from, volume / "data.new");
      provider::Servers::make_directory(volume / "run");
      sync_file_system(volume);
      fs::rename(volume / "data.new", volume / "data");
    }
  }
  servers_.want(server);
  const auto connection = administer(server, "postgres", deadline);
  if (connection) return true;
  if (!servers_.fails(server)) return false;
  return std::unexpected(connection.error());
}

provider::Launch Clusters::prepare(const provider::Server& server) {
  const auto volume = servers_.volume(server.id);
  const auto plan = plan_of(server.id);
  write_certificate(volume / "tls", server.address);
  provider::Servers::write_file(volume / "postgresql.conf", settings(plan), Owner::root);
  provider::Servers::write_file(volume / "pg_hba.conf", pg_hba, Owner::root);
  // The last process by that id was of another pid namespace, and is gone.
  std::error_code none;
  fs::remove(volume / "data/postmaster.pid", none);
  return {
      .name = "postgresql-" + server.id,
      .argv = {(programs() / "postgres").string(), "-D", "/server/data", "-c",
               "config_file=/server/postgresql.conf"},
      .env = {{"PATH", programs().string() + ":/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}},
      .limits = {
          .memory_bytes = plan.memory_bytes, .cpu_weight = 200, .pids = plan.connections + 100}};
}

void Clusters::change_plan(const std::string& server, const Plan& plan) {
  surroundings_.database.run("UPDATE clusters SET plan = ? WHERE server = ?", plan.name, server);
  servers_.outdate(server);
}

Target Clusters::target(const std::string& server) const {
  const auto found = servers_.find(server);
  return {.address = found ? found->address : "",
          .ca_file = (servers_.volume(server) / "tls/ca.pem").string(),
          .password = {}};
}

Result<Connection> Clusters::administer(const std::string& server, const std::string& database,
                                        Deadline deadline) {
  while (true) {
    auto to = target(server);
    to.database = database;
    to.password = password_;
    const auto listed = servers_.find(server);
    auto connection = listed && servers_.runs(*listed)
                          ? Connection::open(to)
                          : Result<Connection>(fail(Kind::unavailable,
                                                    "The database server is "
                                                    "not running."));
    if (connection) servers_.answered(server);
    if (connection || Steady::now() > deadline) return connection;
    if (servers_.fails(server))
      return fail(Kind::unavailable,
                  "The database server does not stay up. " + servers_.advice(server));
    // While it starts.
    poll(nullptr, 0, 10);
  }
}

fs::path Clusters::aside(const std::string& server) const { return quarantine_ / server; }

void Clusters::put_aside(const std::string& server) {
  servers_.stop(server);
  const auto volume = servers_.volume(server);
  if (fs::exists(volume)) fs::rename(volume, aside(server));
}

void Clusters::take_back(const std::string& server) {
  if (fs::exists(aside(server))) fs::rename(aside(server), servers_.volume(server));
}

void Clusters::remove(const std::string& server) {
  servers_.stop(server);
  remove_tree_at(servers_.volume(server));
  remove_tree_at(aside(server));
  servers_.forget(server);
  surroundings_.database.run("DELETE FROM clusters WHERE server = ?", server);
}

}  // namespace renga::postgresql
