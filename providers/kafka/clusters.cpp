#include "kafka/clusters.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "base/report.h"

namespace renga::kafka {
namespace {

using std::chrono::milliseconds;

constexpr const char* columns =
    "SELECT uuid, name, plan, server, prefix, user, certificate, former_user, state, created_at, "
    "deleted_at FROM clusters";

// The platform waits 25 s for an answer.
constexpr milliseconds asked_limit{15'000}, tidy_limit{3'000};

constexpr const char* rivers[] = {"amazon",  "danube", "elbe",    "ganges", "indus",  "lena",
                                  "loire",   "mekong", "mersey",  "murray", "neva",   "niger",
                                  "orinoco", "parana", "potomac", "rhine",  "severn", "spree",
                                  "tagus",   "thames", "tiber",   "tigris", "volga",  "yukon"};

Result<const Plan*> known_plan(const std::string& name) {
  const auto* plan = find_plan(name);
  if (plan == nullptr) return fail(Kind::invalid, "heroku-kafka has no plan " + name + ".");
  return plan;
}

std::string fresh_user() { return "u" + random_hex(10); }

std::unexpected<Error> removed() {
  return fail(Kind::invalid, "The messages of this cluster have been removed.");
}

}  // namespace

Clusters::Clusters(const provider::Surroundings& surroundings)
    : surroundings_(surroundings),
      brokers_(surroundings, [this](const provider::Server& server) { moved(server.id); }) {}

Cluster Clusters::read(const store::Row& row) const {
  const auto certificate = row.text(6);
  return {row.text(0),
          row.text(1),
          row.text(2),
          row.text(3),
          row.text(4),
          row.text(5),
          certificate.empty() ? certificate
                              : surroundings_.box.open(certificate, "cluster/" + row.text(0)),
          row.text(7),
          row.text(8),
          row.time(9),
          row.maybe_time(10)};
}

std::vector<Cluster> Clusters::all() const {
  return surroundings_.database.all(columns, [this](const store::Row& row) { return read(row); });
}
std::optional<Cluster> Clusters::any(const std::string& uuid) const {
  return surroundings_.database.first(
      std::string(columns) + " WHERE uuid = ?", [this](const store::Row& row) { return read(row); },
      uuid);
}

Result<Cluster> Clusters::find(const std::string& uuid) const {
  auto found = any(uuid);
  if (!found || found->state != "available")
    return fail(Kind::not_found, found && found->state == "provisioning"
                                     ? "The cluster is not yet provisioned."
                                     : "There is no such cluster.");
  return *std::move(found);
}

std::shared_ptr<std::mutex> Clusters::turn_of(const std::string& uuid) {
  const std::scoped_lock mine(turns_mutex_);
  std::erase_if(turns_, [](const auto& entry) { return entry.second.expired(); });
  auto turn = turns_[uuid].lock();
  if (!turn) turns_[uuid] = turn = std::make_shared<std::mutex>();
  return turn;
}

void Clusters::set_state(Cluster& cluster, const std::string& state) {
  cluster.state = state;
  surroundings_.database.run("UPDATE clusters SET state = ?, deleted_at = ? WHERE uuid = ?", state,
                             state == "quarantined" || state == "purging"
                                 ? std::optional(surroundings_.clock.now())
                                 : std::nullopt,
                             cluster.uuid);
}

std::string Clusters::fresh_prefix() const {
  while (true) {
    auto prefix =
        fmt::format("{}-{:05}.", rivers[random_below(std::size(rivers))], random_below(100'000));
    if (std::ranges::none_of(all(), [&](const Cluster& other) { return other.prefix == prefix; }))
      return prefix;
  }
}

provider::Platform::Config Clusters::config(const Cluster& cluster) const {
  // The chain first, then the key, as client_certificate() gave them.
  const auto key_at = cluster.certificate.find("-----BEGIN PRIVATE KEY-----");
  provider::Platform::Config config{
      {"HEROKU_KAFKA_URL", brokers_.url(cluster.server)},
      {"HEROKU_KAFKA_TRUSTED_CERT", brokers_.authority(cluster.server)},
      {"HEROKU_KAFKA_CLIENT_CERT", cluster.certificate.substr(0, key_at)},
      {"HEROKU_KAFKA_CLIENT_CERT_KEY", cluster.certificate.substr(key_at)}};
  if (!cluster.prefix.empty()) config["HEROKU_KAFKA_PREFIX"] = cluster.prefix;
  return config;
}

provider::Provisioned Clusters::provisioned(const Cluster& cluster) const {
  provider::Provisioned made{.id = cluster.uuid, .config = {}, .message = "Kafka is available"};
  for (auto& [name, value] : config(cluster)) made.config[name] = *value;
  return made;
}

Result<provider::Provisioned> Clusters::provision(const provider::Resource& resource) {
  const auto* plan = TRY(known_plan(resource.plan));
  const auto turn = turn_of(resource.uuid);
  const std::scoped_lock mine(*turn);
  auto cluster = any(resource.uuid);
  const bool fresh = !cluster;
  if (fresh && resource.undelete) return removed();
  if (fresh) {
    auto transaction = surroundings_.database.begin();
    surroundings_.database.run(
        "INSERT INTO clusters (uuid, name, plan, server, prefix, user, certificate, former_user, "
        "state, created_at) VALUES (?, ?, ?, ?, ?, ?, x'', '', 'provisioning', ?)",
        resource.uuid, resource.name, plan->name, brokers_.choose(*plan),
        plan->dedicated ? "" : fresh_prefix(), fresh_user(), surroundings_.clock.now());
    transaction.commit();
    cluster = any(resource.uuid);
  }
  if (cluster->state == "purging") return removed();
  if (cluster->state == "quarantined") {
    if (cluster->terms().dedicated) brokers_.take_back(cluster->server);
    set_state(*cluster, "provisioning");
  }
  if (cluster->state == "provisioning") {
    const auto made = create(*cluster, asked_limit);
    // What this machine cannot do is said to the user at once, and nothing is left of it.
    if (!made && fresh) {
      set_state(*cluster, "purging");
      purge(*cluster);
      return fail(Kind::invalid, made.error().message);
    }
    if (!made) return std::unexpected(made.error());
    if (!*made)
      return provider::Provisioned{
          .id = cluster->uuid, .config = {}, .message = "Kafka is being started", .later = true};
    set_state(*cluster, "available");
  }
  return provisioned(*cluster);
}

Result<bool> Clusters::create(Cluster& cluster, milliseconds limit) {
  if (!TRY(brokers_.ready(cluster.server, limit))) return false;
  if (cluster.certificate.empty()) set_user(cluster, cluster.user);
  auto connection = brokers_.administer(cluster.server, tidy_limit);
  const auto done = connection ? let_in(*connection, cluster) : std::unexpected(connection.error());
  // There, and too busy: asked again later.
  if (!done && done.error().kind == Kind::unavailable) return false;
  TRY(done);
  return true;
}

void Clusters::set_user(Cluster& cluster, const std::string& user) {
  const auto made = brokers_.client_certificate(cluster.server, user);
  cluster.former_user = user == cluster.user ? "" : cluster.user;
  cluster.user = user;
  cluster.certificate = made.chain + made.key;
  surroundings_.database.run(
      "UPDATE clusters SET user = ?, certificate = ?, former_user = ? WHERE uuid = ?", user,
      store::Blob{surroundings_.box.seal(cluster.certificate, "cluster/" + cluster.uuid)},
      cluster.former_user, cluster.uuid);
}

// On a broker of its own what no rule is about is open, which transactions need; so there must be a
// rule about everything else before the first client comes: the administrator's own.
Result<void> Clusters::let_in(Connection& connection, const Cluster& cluster) {
  if (cluster.terms().dedicated) TRY(connection.allow({Brokers::administrator, ""}));
  return connection.allow({cluster.user, cluster.prefix});
}

Result<provider::Provisioned> Clusters::change_plan(const std::string& uuid,
                                                    const std::string& name) {
  const auto* plan = TRY(known_plan(name));
  const auto turn = turn_of(uuid);
  const std::scoped_lock mine(*turn);
  auto cluster = TRY(find(uuid));
  const auto& now = cluster.terms();
  if (now.dedicated != plan->dedicated)
    return fail(Kind::invalid,
                fmt::format("{} and {} are on different kinds of brokers. Create a cluster of the "
                            "new plan, and let the app write to it.",
                            now.name, plan->name));
  if (plan->capacity < now.capacity) {
    auto connection = TRY(brokers_.administer(cluster.server));
    int partitions = 0;
    for (const auto& topic : TRY(connection.topics(cluster.prefix))) partitions += topic.partitions;
    if (partitions > plan->partitions)
      return fail(Kind::invalid, fmt::format("There are {} partitions, and {} has room for {}.",
                                             partitions, plan->title, plan->partitions));
  }
  if (&now != plan) {
    auto transaction = surroundings_.database.begin();
    surroundings_.database.run("UPDATE clusters SET plan = ? WHERE uuid = ?", plan->name, uuid);
    cluster.plan = plan->name;
    if (plan->dedicated) brokers_.change_plan(cluster.server, *plan);
    transaction.commit();
  }
  brokers_.servers().restart(cluster.server);
  return provisioned(cluster);
}

Result<void> Clusters::deprovision(const std::string& uuid) {
  const auto turn = turn_of(uuid);
  const std::scoped_lock mine(*turn);
  auto cluster = any(uuid);
  if (!cluster || cluster->state == "quarantined" || cluster->state == "purging")
    return fail(Kind::not_found, "This cluster is gone already.");
  // Nobody has had one that was not yet there, so nothing is in it.
  const bool empty = cluster->state == "provisioning" && cluster->certificate.empty();
  set_state(*cluster, empty ? "purging" : "quarantined");
  if (empty) {
    purge(*cluster);
    return {};
  }
  // tidy() does it again until it works.
  if (const auto closed = close(*cluster); !closed) report("kafka", closed.error().message);
  return {};
}

// Out of reach for its apps, with everything kept.
Result<void> Clusters::close(const Cluster& cluster) {
  if (cluster.terms().dedicated) {
    brokers_.put_aside(cluster.server);
    return {};
  }
  auto connection = TRY(brokers_.administer(cluster.server, asked_limit));
  TRY(connection.disallow(cluster.user));
  if (!cluster.former_user.empty()) TRY(connection.disallow(cluster.former_user));
  return {};
}

void Clusters::purge(const Cluster& cluster) {
  bool others = false;
  {
    // So that nobody is put on it meanwhile.
    auto transaction = surroundings_.database.begin();
    others = std::ranges::any_of(all(), [&](const Cluster& other) {
      return other.server == cluster.server && other.uuid != cluster.uuid;
    });
    if (!others) brokers_.retire(cluster.server);
    transaction.commit();
  }
  // A broker that nobody is on any more would only take memory.
  if (!others) {
    brokers_.remove(cluster.server);
  } else if (!cluster.certificate.empty()) {
    auto connection = brokers_.administer(cluster.server, tidy_limit);
    if (!connection) return;  // tidy() comes back
    if (!connection->disallow(cluster.user)) return;
    const auto topics = connection->topics(cluster.prefix);
    const auto groups = connection->groups(cluster.prefix);
    if (!topics || !groups) return;
    std::vector<std::string> names;
    for (const auto& topic : *topics) names.push_back(topic.name);
    if (!connection->delete_topics(names)) return;
    for (const auto& group : *groups)
      if (!connection->delete_group(group.name)) return;
  }
  surroundings_.database.run("DELETE FROM clusters WHERE uuid = ?", cluster.uuid);
}

bool Clusters::tidy() {
  bool settled = true;
  for (const auto& listed : all()) {
    try {
      settled = tidy(listed) && settled;
    } catch (const std::exception& error) {
      report("kafka", "tidying " + listed.name + ": " + error.what());
    }
  }
  return settled;
}

bool Clusters::tidy(const Cluster& listed) {
  if (listed.state == "available") {
    if (const auto done = brokers_.renew(listed.server); !done)
      report("kafka", "renewing a broker's certificate: " + done.error().message);
    if (listed.former_user.empty()) return true;
    if (const auto done = rotate(listed.uuid); !done) report("kafka", done.error().message);
    return true;
  }
  const auto turn = turn_of(listed.uuid);
  const std::scoped_lock mine(*turn);
  auto cluster = any(listed.uuid);
  if (cluster && cluster->state == "provisioning") {
    const auto made = create(*cluster, tidy_limit);
    if (!made) report("kafka", made.error().message);
    if (!made || !*made) return false;
    auto transaction = surroundings_.database.begin();
    set_state(*cluster, "available");
    surroundings_.platform.provisioned(cluster->uuid, config(*cluster));
    transaction.commit();
    return true;
  }
  if (!cluster || !cluster->deleted_at) return true;
  const auto age = surroundings_.clock.now() - *cluster->deleted_at;
  if (cluster->state == "quarantined" && age > quarantine) set_state(*cluster, "purging");
  if (cluster->state == "purging") purge(*cluster);
  if (cluster->state == "quarantined" && age < std::chrono::hours(1))
    if (const auto closed = close(*cluster); !closed) report("kafka", closed.error().message);
  return true;
}

// The new certificate is written down before anybody hears of it, and the old user is let in until
// the apps are told; a crash in between leaves the old user's name, and tidy() comes back to it.
Result<void> Clusters::rotate(const std::string& uuid) {
  const auto turn = turn_of(uuid);
  const std::scoped_lock mine(*turn);
  auto cluster = TRY(find(uuid));
  if (cluster.former_user.empty()) set_user(cluster, fresh_user());
  auto connection = TRY(brokers_.administer(cluster.server));
  TRY(let_in(connection, cluster));
  surroundings_.platform.set_config(uuid, config(cluster));
  TRY(connection.disallow(cluster.former_user));
  surroundings_.database.run("UPDATE clusters SET former_user = '' WHERE uuid = ?", uuid);
  return {};
}

void Clusters::moved(const std::string& server) {
  for (const auto& cluster : all())
    if (cluster.server == server && cluster.state == "available")
      surroundings_.platform.set_config(cluster.uuid, config(cluster));
}

}  // namespace renga::kafka
