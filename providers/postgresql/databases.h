// Databases: one per add-on, with its credentials. A row comes first and says how far things have
// come; each step may be done twice, so that what was cut off is carried on by whoever asks next.
// Safe from any thread; calls that change one add-on take turns.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "postgresql/clusters.h"
#include "provider/platform.h"

namespace renga::postgresql {

struct Database {
  std::string uuid, name, plan, server, dbname, state;
  Time created_at;
  std::optional<Time> deleted_at;
};

struct Credential {
  std::string name, user, password, state;
  Time created_at;
};

// How long data of destroyed add-ons is kept.
inline constexpr std::chrono::hours quarantine{7 * 24};

class Databases {
 public:
  Databases(const provider::Surroundings& surroundings, Clusters& clusters);

  // Asked for again after it was destroyed, and before its data is gone: as it was.
  Result<provider::Provisioned> provision(const provider::Resource& resource);
  Result<provider::Provisioned> change_plan(const std::string& uuid, const std::string& plan);
  // Its data goes into quarantine.
  Result<void> deprovision(const std::string& uuid);
  // Carries on what a crash cut off or what was promised for later, and removes data whose time is
  // over. In how long to come back.
  Duration tidy();

  // Kind::not_found unless it is available.
  Result<Database> find(const std::string& uuid) const;
  std::vector<Database> all() const;
  // A server has another address: every URL on it.
  void moved(const std::string& server);

  std::vector<Credential> credentials(const Database& database) const;
  Result<Credential> credential(const Database& database, const std::string& name) const;
  Result<Credential> create_credential(const Database& database, const std::string& name);
  Result<void> destroy_credential(const Database& database, const std::string& name);
  // A new password; sessions with the old one end, and the apps get a release.
  Result<void> rotate(const Database& database, const std::string& name);

  // An empty database of the same name for the same users.
  Result<void> reset(const Database& database);
  Result<void> end_sessions(const Database& database);
  std::string url(const Database& database, const Credential& credential) const;
  Result<Connection> owner_connection(const Database& database);

  Clusters& clusters() { return clusters_; }

 private:
  // On its server, for set_state() to write down. False: not there at the deadline.
  Result<bool> create(Database& database, Clusters::Deadline deadline);
  Duration tidy(const Database& listed);
  Result<void> create_database(Connection& connection, const Database& database);
  Result<void> enable(Connection& connection, const Database& database,
                      const Credential& credential);
  void set_active(const Database& database, const Credential& credential);
  void add_credential(const std::string& uuid, const std::string& name, const std::string& user);
  void tell(const Database& database, const Credential& credential);
  Result<void> close(const Database& database);
  Result<void> open_again(Database& database);
  void purge(const Database& database);
  std::optional<Database> any(const std::string& uuid) const;
  void set_state(Database& database, const std::string& state);
  provider::Provisioned provisioned(const Database& database) const;
  std::shared_ptr<std::mutex> turn_of(const std::string& uuid);

  provider::Surroundings surroundings_;
  Clusters& clusters_;
  std::mutex turns_mutex_;
  std::map<std::string, std::weak_ptr<std::mutex>> turns_;
};

}  // namespace renga::postgresql
