// Connection: libpq, owned, over verified TLS. Belongs to one thread. What the server refuses is a
// Result with its words; identifiers and passwords in the SQL are the provider's own (letters and
// digits), everything else goes in by parameters.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

struct pg_conn;

namespace renga::postgresql {

struct Target {
  std::string address;
  std::string ca_file;
  std::string database = "postgres";
  std::string user = "postgres";
  std::string password;
};

class Connection {
 public:
  // Within 5 s. Kind::unavailable with the reason.
  static Result<Connection> open(const Target& target);

  using Rows = std::vector<std::vector<std::string>>;
  // One statement; NULL is the empty text. Given up after 10 min by the server. Kind::invalid when
  // a parameter is no such value; Kind::unavailable when the server cannot do it now.
  Result<Rows> run(const std::string& sql, const std::vector<std::string>& parameters = {});
  // The first column of the first row, or nothing.
  Result<std::string> value(const std::string& sql,
                            const std::vector<std::string>& parameters = {});

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  std::unique_ptr<pg_conn, Finish> connection_;
};

}  // namespace renga::postgresql
