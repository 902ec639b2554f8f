#include "server/first_start.h"

#include <algorithm>
#include <stdexcept>

#include "server/data_directory.h"

namespace renga::server {

accounts::Account ensure_admin(accounts::Accounts& accounts,
                               accounts::Authorizations& authorizations,
                               const std::filesystem::path& data_directory) {
  const auto all = accounts.all();
  const auto admin = std::ranges::find_if(all, [](const auto& account) { return account.admin; });
  const auto account = admin != all.end()
                           ? *admin
                           : accounts.create("admin@localhost", "admin", /*admin=*/true).value();

  const auto file = data_directory / "admin.token";
  if (!std::filesystem::exists(file)) {
    const auto authorization =
        authorizations.create(account.id, "The first token, in admin.token", {"global"}, {});
    if (!authorization) throw std::runtime_error(authorization.error().message);
    write_file(file, authorization->token + "\n", 0600);
  }
  return account;
}

}  // namespace renga::server
