// Connection: hiredis, owned, to a server's unix socket, which only the host sees. Belongs to one
// thread. Every call ends within 5 s.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/fd.h"

struct redisContext;

namespace renga::redis {

class Connection {
 public:
  // As the administrator. Kind::unavailable with the reason.
  static Result<Connection> open(const std::filesystem::path& directory, const std::string& user,
                                 const std::string& password);
  // Its answer as text; of an array, nothing. What Redis refuses is Kind::invalid.
  Result<std::string> run(const std::vector<std::string>& command);

 private:
  struct Free {
    void operator()(redisContext* context) const;
  };
  std::unique_ptr<redisContext, Free> context_;
};

}  // namespace renga::redis
