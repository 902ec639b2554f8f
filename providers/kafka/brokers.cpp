#include "kafka/brokers.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "base/fault.h"
#include "base/random.h"
#include "base/report.h"
#include "base/text.h"
#include "os/file.h"

namespace renga::kafka {
namespace fs = std::filesystem;

namespace {

using Owner = provider::Servers::Owner;
using provider::Launch;
using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr const char* keystore = "/server/tls/server.keystore";
constexpr int first_slot = 3'000;
constexpr int most_clusters = 20;  // on one shared broker
constexpr std::chrono::seconds stop_grace{20};
// The first handshakes of a broker that has just started may take a busy machine seconds.
constexpr milliseconds shortest_try{1'000}, longest_try{5'000};

// Clients come by TLS with a certificate of this broker's CA, and its common name is who they are.
// What the broker says to itself stays on the sandbox's own loopback, where nobody else is.
constexpr const char* server_properties =
    R"(# Written by renga: not the place for settings of your own.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:9093
controller.listener.names=CONTROLLER
listeners=CLIENTS://0.0.0.0:{port},INTERNAL://127.0.0.1:9094,CONTROLLER://127.0.0.1:9093
advertised.listeners=CLIENTS://{address}:{port},INTERNAL://127.0.0.1:9094
inter.broker.listener.name=INTERNAL
listener.security.protocol.map=CLIENTS:SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT
listener.name.clients.ssl.client.auth=required
ssl.enabled.protocols=TLSv1.2,TLSv1.3
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location=/server/tls/ca.pem
ssl.principal.mapping.rules=RULE:^CN=([a-z0-9]+)$/$1/,DEFAULT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{administrator};User:ANONYMOUS
allow.everyone.if.no.acl.found={open}
log.dirs=/server/data
auto.create.topics.enable=false
num.partitions=1
default.replication.factor=1
num.network.threads=2
num.io.threads=4
background.threads=4
num.recovery.threads.per.data.dir=2
log.retention.ms={retention}
log.retention.check.interval.ms=60000
log.segment.bytes=67108864
log.cleaner.dedupe.buffer.size=33554432
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=500
max.connections=2000
max.connection.creation.rate=100
metadata.max.idle.interval.ms=5000
)";

void sync_file_system(const fs::path& path) {
  const auto directory = os::open_file(path, O_RDONLY | O_DIRECTORY);
  if (syncfs(directory.get()) != 0) fault("write " + path.string() + " to the disk");
}

void remove_tree_at(const fs::path& path) {
  if (!fs::exists(path.parent_path())) return;
  const auto parent = os::open_file(path.parent_path(), O_RDONLY | O_DIRECTORY);
  os::remove_tree(parent.get(), path.filename().string());
}

std::vector<sandbox::Mount> program_mounts(const Java& java, const Jars& jars) {
  auto mounts = java.mounts;
  mounts.push_back({jars.directory(), "/kafka", false});
  return mounts;
}

// Kafka's ids: 16 random bytes in the alphabet of URLs.
std::string random_id() {
  unsigned char bytes[16];
  fill_random(bytes);
  auto id = text::base64({reinterpret_cast<const char*>(bytes), sizeof bytes});
  while (id.ends_with('=')) id.pop_back();
  id = text::replace_all(text::replace_all(id, "+", "-"), "/", "_");
  // A '-' in front would be an option on Kafka's own command lines.
  return id.front() == '-' ? random_id() : id;
}

}  // namespace

Brokers::Brokers(const provider::Surroundings& surroundings, provider::Servers::Moved moved)
    : surroundings_(surroundings),
      template_(surroundings.data / "template"),
      quarantine_(surroundings.data / "quarantine"),
      jars_(surroundings.data / "programs"),
      servers_(
          surroundings, first_slot, {SIGTERM, stop_grace},
          [this](const provider::Server& server) { return prepare(server); }, std::move(moved)) {
  fs::create_directories(surroundings.data / "programs");
  for (const auto& closed : {template_, quarantine_}) {
    fs::create_directories(closed);
    fs::permissions(closed, fs::perms(0700));
  }
}

Plan Brokers::plan_of(const std::string& server) const {
  const auto name = surroundings_.database.first(
      "SELECT plan FROM brokers WHERE server = ?",
      [](const store::Row& row) { return row.text(0); }, server);
  const auto* plan = find_plan(name.value_or(""));
  return plan == nullptr ? shared_broker : *plan;
}

std::string Brokers::choose(const Plan& plan) {
  auto transaction = surroundings_.database.begin();
  auto& database = surroundings_.database;
  if (!plan.dedicated) {
    const auto found = database.first(
        "SELECT server FROM brokers WHERE plan = 'shared' AND "
        "(SELECT count(*) FROM clusters WHERE clusters.server = brokers.server) < ? "
        "ORDER BY created_at LIMIT 1",
        [](const store::Row& row) { return row.text(0); }, most_clusters);
    if (found) return transaction.commit(), *found;
  }
  const auto server = servers_.add();
  database.run("INSERT INTO brokers (server, plan, created_at) VALUES (?, ?, ?)", server.id,
               plan.dedicated ? plan.name : shared_broker.name, surroundings_.clock.now());
  transaction.commit();
  return server.id;
}

// Kafka wants its directory formatted, which takes a JVM and so a second; each broker's is a copy
// with ids of its own.
Result<fs::path> Brokers::formatted() {
  const auto made = template_ / Jars::version();
  if (fs::exists(made)) return made / "data";
  const auto java = Java::find();
  if (!java) return fail(Kind::unavailable, "Java is gone from this machine.");

  const auto beside = template_ / (Jars::version() + ".new");
  remove_tree_at(beside);
  fs::create_directories(beside);
  provider::Servers::make_directory(beside / "data");
  provider::Servers::write_file(beside / "server.properties",
                                "process.roles=broker,controller\nnode.id=1\n"
                                "controller.quorum.voters=1@127.0.0.1:9093\n"
                                "controller.listener.names=CONTROLLER\n"
                                "listeners=CONTROLLER://127.0.0.1:9093,INTERNAL://127.0.0.1:9094\n"
                                "inter.broker.listener.name=INTERNAL\n"
                                "listener.security.protocol.map=CONTROLLER:PLAINTEXT,"
                                "INTERNAL:PLAINTEXT\nlog.dirs=/made/data\n",
                                Owner::root);
  auto mounts = program_mounts(*java, jars_);
  mounts.push_back({beside.string(), "/made", true});
  const auto end = TRY(servers_.run(
      {.name = "kafka-format",
       .argv = {java->program, "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp",
                "/kafka/*", "kafka.tools.StorageTool", "format", "-t", random_id(), "-c",
                "/made/server.properties"},
       .env = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}},
       .mounts = std::move(mounts),
       .limits = {.memory_bytes = 512 * megabyte},
       .limit = std::chrono::seconds(60),
       .go_on = {}}));
  if (end.status != 0 || !fs::exists(beside / "data/meta.properties")) {
    report("kafka", "formatting a broker's directory failed: " + text::printable(end.output));
    return fail(Kind::unavailable,
                "A broker cannot be made: Kafka did not format its directory. What it said is in "
                "the platform's log.");
  }
  sync_file_system(beside);
  fs::rename(beside, made);
  return made / "data";
}

Result<bool> Brokers::ready(const std::string& server, milliseconds limit) {
  const auto deadline = Steady::now() + limit;
  if (!TRY(jars_.ready(limit))) return false;
  const auto volume = servers_.volume(server);
  {
    const std::scoped_lock mine(making_);
    if (!fs::exists(volume / "data")) {
      const auto from = TRY(formatted());
      const auto beside = volume / "data.new";
      remove_tree_at(beside);
      provider::Servers::make_directory(beside);
      for (const auto* name : {"bootstrap.checkpoint", "meta.properties"}) {
        auto content = os::read_file(from / name).value_or("");
        if (std::string_view(name) == "meta.properties")
          content = fmt::format("version=1\nnode.id=1\ncluster.id={}\ndirectory.id={}\n",
                                random_id(), random_id());
        provider::Servers::write_file(beside / name, content, Owner::user);
      }
      sync_file_system(volume);
      fs::rename(beside, volume / "data");
    }
  }
  servers_.want(server);
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - Steady::now());
  return administer(server, std::max(left, milliseconds(1))).has_value();
}

std::string Brokers::settings(const provider::Server& server) const {
  return fmt::format(fmt::runtime(server_properties), fmt::arg("port", port),
                     fmt::arg("address", server.address), fmt::arg("keystore", keystore),
                     fmt::arg("administrator", administrator),
                     fmt::arg("open", plan_of(server.id).dedicated),
                     fmt::arg("retention", default_retention.count()));
}

bool Brokers::write_certificate(const provider::Server& server) const {
  const auto tls = servers_.volume(server.id) / "tls";
  fs::create_directories(tls);
  const auto certificate = crypto::PrivateCa(tls).server_certificate({server.address});
  const auto content = certificate.key + certificate.chain;
  if (os::read_file(tls / "server.keystore") == content) return false;
  provider::Servers::write_file(tls / "server.keystore", content, Owner::user);
  // Of the files with keys in them, only the server's own is its user's to read.
  fs::permissions(tls, fs::perms(0755));
  return true;
}

Result<void> Brokers::renew(const std::string& id) {
  const auto server = servers_.find(id);
  if (!server || !servers_.runs(*server) || !write_certificate(*server)) return {};
  const auto taken_up = [&]() -> Result<void> {
    auto connection = TRY(administer(id));
    return connection.set_broker({{"listener.name.clients.ssl.keystore.location", keystore}});
  }();
  // Written again, and so told again, by the next look.
  if (!taken_up) fs::remove(servers_.volume(id) / "tls/server.keystore");
  return taken_up;
}

provider::Launch Brokers::prepare(const provider::Server& server) {
  const auto java = Java::find();
  if (!java) throw std::runtime_error("Java is gone from this machine");
  const auto volume = servers_.volume(server.id);
  const auto plan = plan_of(server.id);
  write_certificate(server);
  provider::Servers::write_file(volume / "server.properties", settings(server), Owner::root);
  const auto heap = plan.heap_bytes / megabyte;
  Launch launch{
      .name = "kafka-" + server.id,
      .argv = {java->program, fmt::format("-Xmx{}m", heap), fmt::format("-Xms{}m", heap / 4),
               "-XX:+UseSerialGC", "-Xss512k", "-XX:MaxMetaspaceSize=160m",
               "-XX:ReservedCodeCacheSize=64m", "-XX:MaxDirectMemorySize=128m",
               "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true",
               "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
               "-Dorg.slf4j.simpleLogger.showDateTime=true"},
      .env = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}},
      .limits = {.memory_bytes = plan.memory_bytes, .cpu_weight = 200, .pids = 400},
      .mounts = program_mounts(*java, jars_)};
  // Half of the processor time of a start is the better compiler's, and of a shared broker a quick
  // start and little memory are asked.
  if (!plan.dedicated) launch.argv.emplace_back("-XX:TieredStopAtLevel=1");
  for (const auto* word : {"-cp", "/kafka/*", "kafka.Kafka", "/server/server.properties"})
    launch.argv.emplace_back(word);
  return launch;
}

void Brokers::change_plan(const std::string& server, const Plan& plan) {
  surroundings_.database.run("UPDATE brokers SET plan = ? WHERE server = ?", plan.name, server);
  servers_.outdate(server);
}

crypto::Certificate Brokers::client_certificate(const std::string& server,
                                                const std::string& user) const {
  return crypto::PrivateCa(servers_.volume(server) / "tls").client_certificate(user);
}

std::string Brokers::authority(const std::string& server) const {
  return crypto::PrivateCa(servers_.volume(server) / "tls").authority();
}

Identity Brokers::identity(const std::string& server) {
  const std::scoped_lock mine(identities_mutex_);
  auto& known = identities_[server];
  if (known.key.empty()) {
    auto certificate = client_certificate(server, administrator);
    known = {authority(server), std::move(certificate.chain), std::move(certificate.key)};
  }
  return known;
}

std::string Brokers::url(const std::string& server) const {
  const auto found = servers_.find(server);
  return fmt::format("kafka+ssl://{}:{}", found ? found->address : "", port);
}

Result<Connection> Brokers::connect(const std::string& server, Connection::Purpose purpose,
                                    milliseconds limit) {
  const auto deadline = Steady::now() + limit;
  while (true) {
    const auto listed = servers_.find(server);
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Steady::now());
    auto connection =
        listed && servers_.runs(*listed)
            ? Connection::open(fmt::format("{}:{}", listed->address, port), identity(server),
                               purpose, std::clamp(left, shortest_try, longest_try))
            : Result<Connection>(fail(Kind::unavailable, "The Kafka broker is not running."));
    if (connection) servers_.answered(server);
    if (connection || Steady::now() > deadline) return connection;
    if (servers_.fails(server))
      return fail(Kind::unavailable,
                  "The Kafka broker does not stay up. " + servers_.advice(server));
    // While it starts.
    poll(nullptr, 0, 50);
  }
}

Result<Connection> Brokers::administer(const std::string& server, milliseconds limit) {
  return connect(server, Connection::Purpose::produce, limit);
}
Result<Connection> Brokers::consumer(const std::string& server) {
  return connect(server, Connection::Purpose::consume, start_limit);
}

// A topic's partitions are directories, "<topic>-<number>".
std::map<std::string, std::int64_t> Brokers::sizes(const std::string& server) const {
  std::map<std::string, std::int64_t> sizes;
  std::error_code none;
  for (const auto& partition : fs::directory_iterator(servers_.volume(server) / "data", none)) {
    const auto name = partition.path().filename().string();
    const auto dash = name.rfind('-');
    if (dash == std::string::npos || !text::number(name.substr(dash + 1)) ||
        !partition.is_directory(none))
      continue;
    auto& size = sizes[name.substr(0, dash)];
    for (const auto& file : fs::directory_iterator(partition.path(), none))
      if (file.path().extension() == ".log") {
        // Segments come and go meanwhile.
        const auto bytes = file.file_size(none);
        if (!none) size += static_cast<std::int64_t>(bytes);
      }
  }
  return sizes;
}

void Brokers::put_aside(const std::string& server) {
  servers_.stop(server);
  const auto volume = servers_.volume(server);
  if (fs::exists(volume)) fs::rename(volume, quarantine_ / server);
}

void Brokers::take_back(const std::string& server) {
  if (fs::exists(quarantine_ / server)) fs::rename(quarantine_ / server, servers_.volume(server));
}

void Brokers::retire(const std::string& server) {
  surroundings_.database.run("DELETE FROM brokers WHERE server = ?", server);
}

void Brokers::remove(const std::string& server) {
  servers_.stop(server);
  remove_tree_at(servers_.volume(server));
  remove_tree_at(quarantine_ / server);
  servers_.forget(server);
}

}  // namespace renga::kafka
