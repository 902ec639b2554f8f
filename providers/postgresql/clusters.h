// Clusters: PostgreSQL servers ("clusters" in its own words): their volumes, settings, certificates
// and the administrator's connection. The first is made when the first database is asked for; each
// is a copy of a template that initdb made once.
//
// Volume: data/ (PGDATA), run/ (the unix socket, for jobs), tls/ (a CA of its own and the
// certificate), postgresql.conf and pg_hba.conf, which are root's.
#pragma once

#include <filesystem>
#include <mutex>
#include <string>

#include "base/workers.h"
#include "postgresql/connection.h"
#include "postgresql/plans.h"
#include "provider/servers.h"

namespace renga::postgresql {

inline constexpr int port = 5432;
// Where Debian has the programs of this version.
std::filesystem::path programs();

// Safe from any thread.
class Clusters {
 public:
  Clusters(const provider::Surroundings& surroundings, provider::Servers::Moved moved);

  void start();
  provider::Servers& servers() { return servers_; }

  // The server for one more database of this plan. Joins the caller's transaction; made by
  // `ready()`.
  std::string choose(const Plan& plan);
  using Deadline = std::chrono::steady_clock::time_point;
  static Deadline after(std::chrono::milliseconds limit) {
    return std::chrono::steady_clock::now() + limit;
  }
  // Has its volume and runs. False: it is still being made, or starting, at the deadline.
  // Kind::unavailable: it does not stay up.
  Result<bool> ready(const std::string& server, Deadline deadline);
  // With other memory and connections, once restarted. Joins the caller's transaction.
  void change_plan(const std::string& server, const Plan& plan);

  // As the administrator, waiting for a server that starts.
  Result<Connection> administer(const std::string& server,
                                const std::string& database = "postgres") {
    return administer(server, database, after(start_limit));
  }
  // As somebody else.
  Target target(const std::string& server) const;

  // Ends a dedicated one and puts its volume aside, and back.
  void put_aside(const std::string& server);
  void take_back(const std::string& server);
  // Removes one that was put aside, with its data.
  void remove(const std::string& server);
  std::filesystem::path aside(const std::string& server) const;

  // Template and password for a scratch server of a job.
  Result<std::filesystem::path> initial_data();

  static constexpr std::chrono::seconds stop_grace{10}, start_limit{20};

 private:
  Result<Connection> administer(const std::string& server, const std::string& database,
                                Deadline deadline);
  std::filesystem::path initial_directory() const;
  Result<bool> initial_data_by(Deadline deadline);
  provider::Launch prepare(const provider::Server& server);
  std::string administrator_password();
  Plan plan_of(const std::string& server) const;

  provider::Surroundings surroundings_;
  std::filesystem::path template_;
  std::filesystem::path quarantine_;
  std::mutex making_;  // the template and volumes
  std::string password_;
  provider::Servers servers_;
  std::atomic<bool> initial_wanted_ = false;
  Locked<std::string> initial_trouble_;  // of the last initdb
  Workers initial_maker_;
};

}  // namespace renga::postgresql
