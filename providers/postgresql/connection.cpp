#include "postgresql/connection.h"

#include <libpq-fe.h>

#include "base/text.h"

namespace renga::postgresql {
namespace {

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};

std::string first_line(const char* message) {
  const auto lines = text::lines(message == nullptr ? "" : message);
  return lines.empty() ? "no reason given" : text::printable(text::trim(lines.front()));
}

// Only class 22 is about a value that somebody gave. All else passes: a full disk, a server that
// goes down, or what an earlier provider asked for and which the server has not finished yet.
Kind kind_of(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state != nullptr && std::string_view(state).starts_with("22") ? Kind::invalid
                                                                       : Kind::unavailable;
}

}  // namespace

void Connection::Finish::operator()(pg_conn* connection) const { PQfinish(connection); }

Result<Connection> Connection::open(const Target& target) {
  const char* const names[] = {
      "hostaddr", "host",        "port",    "dbname",          "user",    "password",
      "sslmode",  "sslrootcert", "sslcert", "connect_timeout", "options", "application_name",
      "passfile", nullptr};
  const char* const values[] = {target.address.c_str(),
                                target.address.c_str(),
                                "5432",
                                target.database.c_str(),
                                target.user.c_str(),
                                target.password.c_str(),
                                "verify-full",
                                target.ca_file.c_str(),
                                "/nonexistent",
                                "5",
                                "-c statement_timeout=600000",
                                "renga",
                                "/nonexistent",
                                nullptr};
  Connection connection;
  connection.connection_.reset(PQconnectdbParams(names, values, 0));
  if (!connection.connection_) throw std::bad_alloc();
  if (PQstatus(connection.connection_.get()) != CONNECTION_OK)
    return fail(Kind::unavailable, "The database server does not answer: " +
                                       first_line(PQerrorMessage(connection.connection_.get())) +
                                       ".");
  // Notices belong to nobody's terminal.
  PQsetNoticeProcessor(
      connection.connection_.get(), [](void*, const char*) {}, nullptr);
  return connection;
}

Result<Connection::Rows> Connection::run(const std::string& sql,
                                         const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const auto& parameter : parameters) values.push_back(parameter.c_str());
  const std::unique_ptr<PGresult, Clear> result(
      PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                   values.data(), nullptr, nullptr, 0));
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
    return fail(kind_of(result.get()),
                "PostgreSQL refused: " + first_line(PQerrorMessage(connection_.get())) + ".");
  Rows rows;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    auto& texts = rows.emplace_back();
    for (int column = 0; column < PQnfields(result.get()); ++column)
      texts.emplace_back(PQgetvalue(result.get(), row, column));
  }
  return rows;
}

Result<std::string> Connection::value(const std::string& sql,
                                      const std::vector<std::string>& parameters) {
  const auto rows = TRY(run(sql, parameters));
  return rows.empty() || rows.front().empty() ? std::string() : rows.front().front();
}

}  // namespace renga::postgresql
