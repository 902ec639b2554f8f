// Brokers: the Kafka servers, each a cluster of one in KRaft mode: their volumes, settings,
// certificates and the administrator's connection. The first is made when the first add-on is asked
// for, once Kafka's programs are there.
//
// Volume: data/ (Kafka's log directory), tls/ (a CA of its own, which signs the broker's
// certificate and those of its clients), server.properties.
#pragma once

#include <filesystem>
#include <mutex>
#include <string>

#include "crypto/private_ca.h"
#include "kafka/connection.h"
#include "kafka/jars.h"
#include "kafka/java.h"
#include "kafka/plans.h"
#include "provider/servers.h"

namespace renga::kafka {

inline constexpr int port = 9096;

// Safe from any thread.
class Brokers {
 public:
  // The common name of the administrator's certificates, which are made anew at each start.
  static constexpr const char* administrator = "renga";

  Brokers(const provider::Surroundings& surroundings, provider::Servers::Moved moved);

  void start() { servers_.start(); }
  provider::Servers& servers() { return servers_; }

  // The broker for one more add-on of this plan. Joins the caller's transaction; made by `ready()`.
  std::string choose(const Plan& plan);
  // Has its programs and its volume, and runs. False: it still goes on after `limit`.
  // Kind::unavailable: it cannot be made.
  Result<bool> ready(const std::string& server, std::chrono::milliseconds limit);
  // With other memory, once restarted. Joins the caller's transaction.
  void change_plan(const std::string& server, const Plan& plan);

  // Its certificate is made anew when less than 30 days of it are left, and taken up by the broker
  // while it runs. Nothing for one that does not: it is given one when it starts.
  Result<void> renew(const std::string& server);

  // As the administrator, waiting up to `limit` for a broker that starts.
  Result<Connection> administer(const std::string& server,
                                std::chrono::milliseconds limit = start_limit);
  // The same to read messages with.
  Result<Connection> consumer(const std::string& server);

  // "kafka+ssl://100.96.0.9:9096"
  std::string url(const std::string& server) const;
  crypto::Certificate client_certificate(const std::string& server, const std::string& user) const;
  std::string authority(const std::string& server) const;
  // Bytes on disk, by topic.
  std::map<std::string, std::int64_t> sizes(const std::string& server) const;

  // Ends a dedicated one and puts its volume aside, and back.
  void put_aside(const std::string& server);
  void take_back(const std::string& server);
  // Has it chosen for nobody any more. Joins the caller's transaction.
  void retire(const std::string& server);
  // Removes one that was retired, with its data.
  void remove(const std::string& server);

 private:
  static constexpr std::chrono::milliseconds start_limit{20'000};
  provider::Launch prepare(const provider::Server& server);
  std::string settings(const provider::Server& server) const;
  // Whether it is another than the broker has.
  bool write_certificate(const provider::Server& server) const;
  Result<std::filesystem::path> formatted();
  Plan plan_of(const std::string& server) const;
  Identity identity(const std::string& server);
  Result<Connection> connect(const std::string& server, Connection::Purpose purpose,
                             std::chrono::milliseconds limit);

  provider::Surroundings surroundings_;
  const std::filesystem::path template_, quarantine_;
  Jars jars_;
  std::mutex making_;  // the template and volumes
  std::mutex identities_mutex_;
  std::map<std::string, Identity> identities_;  // the administrator's, by server
  provider::Servers servers_;
};

}  // namespace renga::kafka
