// The data API of PostgreSQL as Heroku's CLI speaks it: /client/v11 and /postgres/v0.
#pragma once

#include "postgresql/backups.h"
#include "postgresql/databases.h"

namespace renga::postgresql {

// Safe from any thread.
class DataApi {
 public:
  DataApi(Databases& databases, Backups& backups, const provider::Surroundings& surroundings)
      : databases_(databases), backups_(backups), surroundings_(surroundings) {}

  Result<provider::json::value> answer(const provider::DataCall& call);
  std::optional<http::Response> download(const std::string& secret);
  Result<std::vector<std::pair<std::string, std::string>>> info(const Database& database);

 private:
  Result<provider::json::value> database(const provider::DataCall& call);
  Result<provider::json::value> credentials(const provider::DataCall& call);
  Result<provider::json::value> transfers(const provider::DataCall& call);
  Result<provider::json::value> schedules(const provider::DataCall& call, const Database& database);
  Result<provider::json::value> public_url(const provider::DataCall& call,
                                           const Transfer& transfer);
  provider::json::object credential_json(const Database& database, const Credential& credential,
                                         bool whole);

  Databases& databases_;
  Backups& backups_;
  provider::Surroundings surroundings_;
};

}  // namespace renga::postgresql
