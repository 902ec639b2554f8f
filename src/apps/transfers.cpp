#include "apps/transfers.h"

#include "base/text.h"

namespace renga::apps {
namespace {

std::string select(std::string_view rest) {
  return "SELECT t.id, t.app, apps.name, t.owner, t.recipient, t.state, t.created_at, t.updated_at "
         "FROM app_transfers t JOIN apps ON apps.id = t.app " +
         std::string(rest);
}

Transfer read(const store::Row& row) {
  return {row.id<Transfer>(0),          row.id<App>(1), row.text(2), row.id<accounts::Account>(3),
          row.id<accounts::Account>(4), row.text(5),    row.time(6), row.time(7)};
}

}  // namespace

Result<Transfer> Transfers::offer(const App& app, const accounts::Account& recipient) {
  if (recipient.id == app.owner)
    return fail(Kind::invalid, recipient.email + " owns " + app.name + " already.");
  const auto now = clock_.now();
  const Transfer transfer{Id<Transfer>::create(), app.id,    app.name, app.owner,
                          recipient.id,           "pending", now,      now};
  auto transaction = database_.begin();
  const auto pending =
      database_.first(select("WHERE t.app = ? AND t.state = 'pending'"), read, app.id);
  if (pending)
    return fail(Kind::conflict, app.name +
                                    " is offered to somebody already. Take that offer back first, "
                                    "or wait for the answer.");
  database_.run(
      "INSERT INTO app_transfers (id, app, owner, recipient, state, created_at, updated_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)",
      transfer.id, app.id, app.owner, recipient.id, transfer.state, now, now);
  transaction.commit();
  return transfer;
}

std::vector<Transfer> Transfers::all(const accounts::Account& account) {
  return database_.all(select("WHERE t.owner = ? OR t.recipient = ? ORDER BY t.created_at, t.id"),
                       read, account.id, account.id);
}

Result<Transfer> Transfers::find(const accounts::Account& account, std::string_view identity) {
  auto found = database_.first(
      select("WHERE (t.id = ? OR (t.state = 'pending' AND (apps.name = ? OR apps.id = ?))) "
             "AND (? OR t.owner = ? OR t.recipient = ?)"),
      read, text::lower(identity), identity, text::lower(identity), account.admin, account.id,
      account.id);
  if (!found) return fail(Kind::not_found, "Couldn't find that app transfer.");
  return *std::move(found);
}

Result<Transfer> Transfers::decide(const accounts::Account& account, std::string_view identity,
                                   Verdict verdict) {
  auto transaction = database_.begin();
  auto transfer = TRY(find(account, identity));
  if (transfer.recipient != account.id)
    return fail(Kind::forbidden, "Only the account that " + transfer.app_name +
                                     " is offered to may accept or decline it.");
  if (transfer.state != "pending")
    return fail(Kind::conflict, "This transfer was " + transfer.state + " already.");
  const auto app = TRY(apps_.find(transfer.app));
  if (app.owner != transfer.owner)
    return fail(Kind::conflict, app.name + " has another owner than the one who offered it.");

  transfer.state = verdict == Verdict::accept ? "accepted" : "declined";
  transfer.updated_at = clock_.now();
  if (verdict == Verdict::accept) TRY(apps_.set_owner(app.id, account));
  database_.run("UPDATE app_transfers SET state = ?, updated_at = ? WHERE id = ?", transfer.state,
                transfer.updated_at, transfer.id);
  transaction.commit();
  return transfer;
}

Result<Transfer> Transfers::remove(const accounts::Account& account, std::string_view identity) {
  auto transaction = database_.begin();
  auto transfer = TRY(find(account, identity));
  if (transfer.owner != account.id && !account.admin)
    return fail(Kind::forbidden, "Only the owner who offered " + transfer.app_name +
                                     " may take the offer back. Decline it instead.");
  database_.run("DELETE FROM app_transfers WHERE id = ?", transfer.id);
  transaction.commit();
  return transfer;
}

}  // namespace renga::apps
