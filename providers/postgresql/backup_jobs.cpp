// What a backup and a restore do. pg_dump and pg_restore run as the database's owner over the
// server's unix socket, in sandboxes that see nothing else; a dump is tried on a server that lives
// in the sandbox of its trial, since restoring a stranger's dump is running a stranger's program.
#include <fmt/format.h>

#include "base/text.h"
#include "os/file.h"
#include "postgresql/backups.h"

namespace renga::postgresql {
namespace fs = std::filesystem;

namespace {

using provider::Servers;

constexpr std::chrono::hours longest_job{12};
constexpr std::int64_t job_memory = gigabyte;

std::map<std::string, std::string> environment(const std::string& password) {
  return {{"PATH", programs().string() + ":/usr/bin:/bin"},
          {"PGPASSWORD", password},
          {"PGCONNECT_TIMEOUT", "10"},
          {"LC_ALL", "C.UTF-8"}};
}

Error failed(const std::string& what, const provider::JobEnd& end) {
  const auto lines = text::lines(text::trim(end.output));
  return {Kind::invalid,
          fmt::format("{} ended with status {}: {}", what, end.status,
                      lines.empty() ? "no word of why" : text::printable(lines.back()))};
}

// fsync is off: the server is thrown away. Two jobs of pg_restore load while one indexes.
constexpr const char* trial = R"(set -e
cp -r /template /scratch/data
echo 'local all all trust' >/scratch/hba
pg_ctl -D /scratch/data -s -w -t 60 -l /scratch/log -o "-c listen_addresses= -c unix_socket_directories=/scratch \
 -c hba_file=/scratch/hba -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c autovacuum=off \
 -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=8GB -c maintenance_work_mem=128MB" start
createdb -h /scratch -U postgres restored
pg_restore -h /scratch -U postgres -d restored --no-owner --no-acl --exit-on-error -j 2 /backup/out/dump
psql -h /scratch -U postgres -d restored -XAtq -v ON_ERROR_STOP=1 -f /backup/counts.sql >/scratch/counts
pg_ctl -D /scratch/data -s -m immediate stop
cmp /backup/counts /scratch/counts
)";

}  // namespace

Result<void> Backups::dump(const Transfer& transfer) {
  const auto database = TRY(databases_.find(transfer.database));
  const auto owner = TRY(databases_.credential(database, "default"));
  const auto at = directory(transfer.uuid);
  fs::remove_all(at);
  fs::create_directory(at);
  fs::permissions(at, fs::perms(0755));
  Servers::make_directory(at / "out");

  // One snapshot for the dump and for what it is checked against.
  auto reader = TRY(databases_.owner_connection(database));
  TRY(reader.run("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"));
  TRY(reader.run("SET LOCAL idle_in_transaction_session_timeout = 0"));
  const auto snapshot = TRY(reader.value("SELECT pg_export_snapshot()"));
  const auto size = TRY(reader.value("SELECT pg_database_size(current_database())"));
  surroundings_.database.run("UPDATE transfers SET source_bytes = ? WHERE uuid = ?",
                             text::number(size).value_or(0), transfer.uuid);
  const auto tables = TRY(
      reader.run("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname "
                 "NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"));
  std::string questions, counts;
  for (const auto& row : tables) {
    if (!go_on(transfer.uuid)) return fail(Kind::conflict, "Cancelled.");
    const auto question = "SELECT count(*) FROM ONLY " + row.front();
    counts += TRY(reader.value(question)) + "\n";
    questions += question + ";\n";
  }
  Servers::write_file(at / "counts.sql", questions, Servers::Owner::root);
  Servers::write_file(at / "counts", counts, Servers::Owner::root);

  auto& servers = databases_.clusters().servers();
  const auto end =
      TRY(servers.run({.name = "pg-dump",
                       .argv = {"pg_dump", "-Fc", "-Z", "1", "--no-owner", "--no-acl", "-h", "/pg",
                                "-U", owner.user, "-d", database.dbname, "--snapshot", snapshot,
                                "-f", "/backup/out/dump"},
                       .env = environment(owner.password),
                       .mounts = {{(servers.volume(database.server) / "run").string(), "/pg", true},
                                  {at.string(), "/backup", true}},
                       .limits = {.memory_bytes = job_memory},
                       .limit = longest_job,
                       .go_on = [&] { return go_on(transfer.uuid); }}));
  if (end.status != 0) return std::unexpected(failed("pg_dump", end));
  go_on(transfer.uuid);
  say(transfer.uuid, fmt::format("Dumped {} tables; verifying.", tables.size()));
  return verify(transfer);
}

Result<void> Backups::verify(const Transfer& transfer) {
  set_state(transfer.uuid, "verifying");
  const auto at = directory(transfer.uuid);
  const auto initial = TRY(databases_.clusters().initial_data());
  fs::remove_all(at / "scratch");
  Servers::make_directory(at / "scratch");
  const auto end = databases_.clusters().servers().run(
      {.name = "pg-verify",
       .argv = {"/bin/sh", "-c", trial},
       .env = environment(""),
       .mounts = {{initial.string(), "/template", false},
                  {at.string(), "/backup", false},
                  {(at / "scratch").string(), "/scratch", true}},
       .limits = {.memory_bytes = job_memory},
       .limit = longest_job,
       .go_on = [&] { return go_on(transfer.uuid); }});
  fs::remove_all(at / "scratch");
  if (!end) return std::unexpected(end.error());
  if (end->status != 0)
    return std::unexpected(failed("The trial restore into a scratch server", *end));
  surroundings_.database.run("UPDATE transfers SET verified_at = ? WHERE uuid = ?",
                             surroundings_.clock.now(), transfer.uuid);
  say(transfer.uuid, "Verified: restored into a scratch server, every table has its rows.");
  return {};
}

Result<void> Backups::load(const Transfer& transfer) {
  const auto database = TRY(databases_.find(transfer.database));
  const auto owner = TRY(databases_.credential(database, "default"));
  TRY(databases_.reset(database));
  auto& servers = databases_.clusters().servers();
  const auto end = TRY(servers.run(
      {.name = "pg-restore",
       .argv = {"pg_restore", "--no-owner", "--no-acl", "--exit-on-error", "-j", "2", "-h", "/pg",
                "-U", owner.user, "-d", database.dbname, "/backup/out/dump"},
       .env = environment(owner.password),
       .mounts = {{(servers.volume(database.server) / "run").string(), "/pg", true},
                  {directory(transfer.source).string(), "/backup", false}},
       .limits = {.memory_bytes = job_memory},
       .limit = longest_job,
       .go_on = [&] { return go_on(transfer.uuid); }}));
  if (end.status != 0) return std::unexpected(failed("pg_restore", end));
  std::error_code none;
  surroundings_.database.run(
      "UPDATE transfers SET bytes = ? WHERE uuid = ?",
      static_cast<std::int64_t>(fs::file_size(directory(transfer.source) / "out/dump", none)),
      transfer.uuid);
  return {};
}

}  // namespace renga::postgresql
