// Stores: a Redis server in a sandbox for each add-on, with its password and settings. A row comes
// first and says how far things have come; each step may be done twice. Safe from any thread; calls
// that change one store take turns.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "provider/platform.h"
#include "provider/servers.h"
#include "redis/connection.h"
#include "redis/plans.h"

namespace renga::redis {

inline constexpr int port = 6379;
// How long data of destroyed add-ons is kept.
inline constexpr std::chrono::hours quarantine{7 * 24};

struct Store {
  std::string uuid, name, plan, server, password;
  bool rotating = false;
  std::string policy;
  std::int64_t timeout = 0;
  std::string notifications, state;
  Time created_at;
  std::optional<Time> deleted_at;
};

class Stores {
 public:
  explicit Stores(const provider::Surroundings& surroundings);

  void start() { servers_.start(); }

  // Asked for again after it was destroyed, and before its data is gone: as it was.
  Result<provider::Provisioned> provision(const provider::Resource& resource);
  Result<provider::Provisioned> change_plan(const std::string& uuid, const std::string& plan);
  Result<void> deprovision(const std::string& uuid);
  // Carries on what a crash cut off, and removes data whose time is over.
  void tidy();

  // Kind::not_found unless it is available.
  Result<Store> find(const std::string& uuid) const;
  Result<void> rotate(const std::string& uuid);
  Result<Store> set_policy(const std::string& uuid, const std::string& policy);
  Result<Store> set_timeout(const std::string& uuid, std::int64_t seconds);
  Result<Store> set_notifications(const std::string& uuid, const std::string& events);

  std::string url(const Store& store) const;
  // As the administrator, waiting up to 10 s for a server that starts.
  Result<Connection> administer(const Store& store);

 private:
  provider::Launch prepare(const provider::Server& server);
  Result<Store> set(const std::string& uuid, const std::string& column, const store::Value& value,
                    const std::string& setting, const std::string& text);
  Result<void> create(Store& store);
  void purge(const Store& store);
  void set_state(Store& store, const std::string& state);
  std::optional<Store> any(const std::string& uuid) const;
  std::vector<Store> all() const;
  Store read(const store::Row& row) const;
  provider::Provisioned provisioned(const Store& store) const;
  std::filesystem::path aside(const Store& store) const;
  std::string administrator_password();
  std::shared_ptr<std::mutex> turn_of(const std::string& uuid);

  provider::Surroundings surroundings_;
  const std::filesystem::path quarantine_;
  const std::string password_;  // the administrator's
  std::mutex turns_mutex_;
  std::map<std::string, std::weak_ptr<std::mutex>> turns_;
  provider::Servers servers_;
};

}  // namespace renga::redis
