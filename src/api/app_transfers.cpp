// App transfer: an app offered to another account, which accepts or declines it.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/account_handlers.h"
#include "api/body.h"
#include "api/objects.h"
#include "api/people_rooms.h"
#include "base/text.h"

namespace renga::api {
namespace {

json::object to_json(Call& call, const apps::Transfer& transfer) {
  return {
      {"app", json::object{{"id", transfer.app.value}, {"name", transfer.app_name}}},
      {"created_at", rfc3339(transfer.created_at)},
      {"id", transfer.id.value},
      {"owner", call.user(transfer.owner)},
      {"recipient", call.user(transfer.recipient)},
      {"state", transfer.state},
      {"updated_at", rfc3339(transfer.updated_at)},
  };
}

// Apps of a pipeline have the pipeline's owner.
Result<void> stands_alone(const Call& call, const Id<apps::App>& app, std::string_view name) {
  const auto coupling = call.services.pipelines.coupling_of(app);
  if (!coupling) return {};
  const auto pipeline = TRY(call.services.pipelines.find(coupling->pipeline));
  return fail(Kind::conflict,
              fmt::format("{} is in the pipeline {}. Transfer the pipeline with all its apps, or "
                          "take {} out of it first.",
                          name, pipeline.name, name));
}

}  // namespace

Result<Answer> app_transfer_create(Call& call) {
  const auto& services = call.services;
  const auto body = TRY(call.body());
  const auto named = TRY(identity_in(body, "app"));
  const auto wanted = TRY(identity_in(body, "recipient"));
  if (!named) return fail(Kind::invalid, "`app` is required: an app's name or id.");
  if (!wanted)
    return fail(Kind::invalid, "`recipient` is required: an e-mail address or an account's id.");
  const auto app = TRY(services.apps.find_for(call.account(), *named, apps::Permission::manage));
  if (app.owner != call.account().id && !call.account().admin)
    return fail(Kind::forbidden, fmt::format("Only the owner of {} may give it away.", app.name));
  const auto recipient = services.accounts.find(*wanted);
  if (!recipient)
    return fail(Kind::invalid,
                fmt::format("There is no account {} on this server.", text::printable(*wanted)));
  TRY(stands_alone(call, app.id, app.name));
  const auto transfer = TRY(PeopleRooms(services).transfers.offer(app, *recipient));
  call.log(app.id, fmt::format("Offer to {}", recipient->email));
  return created(to_json(call, transfer));
}

Result<Answer> app_transfer_list(Call& call) {
  using apps::Transfer;
  return call.page<Transfer>(
      PeopleRooms(call.services).transfers.all(call.account()),
      {by_text<Transfer>("id", [](const auto& one) { return one.id.value; }),
       by_time<Transfer>("created_at", [](const auto& one) { return one.created_at; })},
      [&](const Transfer& transfer) { return to_json(call, transfer); });
}

Result<Answer> app_transfer_info(Call& call) {
  return ok(to_json(
      call,
      TRY(PeopleRooms(call.services).transfers.find(call.account(), call.param("transfer")))));
}

Result<Answer> app_transfer_update(Call& call) {
  const auto body = TRY(call.body());
  const auto state = TRY(required_text(body, "state"));
  if (state != "accepted" && state != "declined")
    return fail(Kind::invalid, "`state` must be accepted or declined.");
  const auto verdict = state == "accepted" ? apps::Verdict::accept : apps::Verdict::decline;
  auto transfers = PeopleRooms(call.services).transfers;
  const auto offer = TRY(transfers.find(call.account(), call.param("transfer")));
  if (verdict == apps::Verdict::accept) TRY(stands_alone(call, offer.app, offer.app_name));
  const auto transfer = TRY(transfers.decide(call.account(), offer.id.value, verdict));
  call.log(transfer.app,
           verdict == apps::Verdict::accept ? "Transfer accepted" : "Transfer declined");
  if (verdict == apps::Verdict::accept) call.services.on_app_change(transfer.app);
  return ok(to_json(call, transfer));
}

Result<Answer> app_transfer_delete(Call& call) {
  return ok(to_json(
      call,
      TRY(PeopleRooms(call.services).transfers.remove(call.account(), call.param("transfer")))));
}

}  // namespace renga::api
