// Clusters: a Kafka add-on each: a prefix on a shared broker, or a broker of its own, and the
// certificate that lets its apps in. A row comes first and says how far things have come; each step
// may be done twice, so that what was cut off is carried on by whoever asks next. Safe from any
// thread; calls that change one add-on take turns.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kafka/brokers.h"
#include "provider/platform.h"

namespace renga::kafka {

// How long data of destroyed add-ons is kept.
inline constexpr std::chrono::hours quarantine{7 * 24};

struct Cluster {
  std::string uuid, name, plan, server, prefix, user;
  std::string certificate, former_user, state;
  Time created_at;
  std::optional<Time> deleted_at;
  const Plan& terms() const { return *find_plan(plan); }
};

class Clusters {
 public:
  explicit Clusters(const provider::Surroundings& surroundings);

  void start() { brokers_.start(); }

  // `later` when the broker is not up within the time that the platform waits. Asked for again
  // after it was destroyed, and before its data is gone: as it was.
  Result<provider::Provisioned> provision(const provider::Resource& resource);
  Result<provider::Provisioned> change_plan(const std::string& uuid, const std::string& plan);
  // Its messages go into quarantine.
  Result<void> deprovision(const std::string& uuid);
  // Carries on what a crash or a slow start cut off, and removes data whose time is over.
  // False: something is still in the making, so come back soon.
  bool tidy();

  // Kind::not_found unless it is available.
  Result<Cluster> find(const std::string& uuid) const;
  std::vector<Cluster> all() const;
  // Another certificate for the apps; the one before is not let in any more.
  Result<void> rotate(const std::string& uuid);

  Brokers& brokers() { return brokers_; }

 private:
  Result<bool> create(Cluster& cluster, std::chrono::milliseconds limit);
  Result<void> let_in(Connection& connection, const Cluster& cluster);
  Result<void> close(const Cluster& cluster);
  void purge(const Cluster& cluster);
  void set_state(Cluster& cluster, const std::string& state);
  void set_user(Cluster& cluster, const std::string& user);
  void moved(const std::string& server);
  bool tidy(const Cluster& listed);
  std::optional<Cluster> any(const std::string& uuid) const;
  Cluster read(const store::Row& row) const;
  provider::Platform::Config config(const Cluster& cluster) const;
  provider::Provisioned provisioned(const Cluster& cluster) const;
  std::string fresh_prefix() const;
  std::shared_ptr<std::mutex> turn_of(const std::string& uuid);

  provider::Surroundings surroundings_;
  std::mutex turns_mutex_;
  std::map<std::string, std::weak_ptr<std::mutex>> turns_;
  Brokers brokers_;
};

}  // namespace renga::kafka
