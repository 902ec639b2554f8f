#include "postgresql/transfer_json.h"

#include <boost/json.hpp>
#include <fstream>

#include "base/text.h"
#include "postgresql/data_api.h"

namespace renga::postgresql {
namespace json = boost::json;

namespace {

constexpr std::chrono::minutes download_limit{60};
constexpr const char* download_context = "download";

json::value maybe_time(const std::optional<Time>& time) {
  return time ? json::value(rfc3339(*time)) : json::value(nullptr);
}

}  // namespace

json::value transfer_json(const Transfer& transfer) {
  const bool backup = transfer.kind == "backup";
  json::array logs;
  for (const auto line : text::lines(transfer.log)) {
    const auto [at, message] = text::split_once(line, ' ');
    logs.push_back(
        {{"created_at", rfc3339(from_micros(text::number(at).value_or(0)))}, {"message", message}});
  }
  const bool ended = transfer.finished_at.has_value();
  return {{"uuid", transfer.uuid},
          {"num", transfer.num},
          {"from_name", backup ? transfer.name : "BACKUP"},
          {"from_type", backup ? "pg_dump" : "gof3r"},
          {"from_url", ""},
          {"to_name", backup ? "BACKUP" : transfer.name},
          {"to_type", backup ? "gof3r" : "pg_restore"},
          {"to_url", backup ? std::string(backup_scheme) + transfer.uuid : ""},
          {"options", json::object{}},
          {"source_bytes", transfer.source_bytes},
          {"processed_bytes", transfer.bytes},
          {"succeeded", ended ? json::value(transfer.state == "finished") : json::value(nullptr)},
          {"warnings", 0},
          {"num_keep", nullptr},
          {"schedule", transfer.schedule.empty()
                           ? json::value(nullptr)
                           : json::value(json::object{{"uuid", transfer.schedule}})},
          {"created_at", rfc3339(transfer.created_at)},
          {"updated_at", rfc3339(transfer.finished_at.value_or(transfer.created_at))},
          {"started_at", maybe_time(transfer.started_at)},
          {"finished_at", maybe_time(transfer.finished_at)},
          {"canceled_at",
           transfer.state == "cancelled" ? maybe_time(transfer.finished_at) : json::value(nullptr)},
          {"deleted_at", nullptr},
          {"purged_at", nullptr},
          {"verified_at", maybe_time(transfer.verified_at)},
          {"logs", std::move(logs)}};
}

json::value schedule_json(const Schedule& schedule) {
  return {{"uuid", schedule.uuid},
          {"name", schedule.name},
          {"hour", schedule.hour},
          {"timezone", schedule.timezone},
          {"retain_weeks", 4},
          {"retain_months", 0},
          {"days", json::array{"Daily"}},
          {"created_at", rfc3339(schedule.created_at)},
          {"next_at", rfc3339(schedule.next_at)}};
}

// The link is sealed rather than kept: whoever has it may download until it ends.
Result<json::value> DataApi::public_url(const provider::DataCall& call, const Transfer& transfer) {
  if (transfer.kind != "backup" || transfer.state != "finished")
    return fail(Kind::invalid, "Only a backup that is finished can be downloaded.");
  const auto until = surroundings_.clock.now() + download_limit;
  const auto sealed = surroundings_.box.seal(transfer.uuid + " " + std::to_string(to_micros(until)),
                                             download_context);
  const auto secret =
      text::hex(std::span(reinterpret_cast<const unsigned char*>(sealed.data()), sealed.size()));
  return json::value{{"url", call.base + "/data/downloads/heroku-postgresql/" + secret},
                     {"expires_at", rfc3339(until)}};
}

std::optional<http::Response> DataApi::download(const std::string& secret) {
  std::string sealed;
  for (std::size_t i = 0; i + 1 < secret.size() && secret.size() < 1000; i += 2) {
    const auto byte = text::url_decode("%" + secret.substr(i, 2));
    if (byte.size() != 1) return std::nullopt;
    sealed += byte;
  }
  std::string plain;
  try {
    plain = surroundings_.box.open(sealed, download_context);
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
  const auto [uuid, until] = text::split_once(plain, ' ');
  if (text::number(until).value_or(0) < to_micros(surroundings_.clock.now())) return std::nullopt;
  Transfer transfer;
  transfer.uuid = uuid;
  auto file = std::make_shared<std::ifstream>(backups_.file(transfer), std::ios::binary);
  if (!*file) return std::nullopt;
  http::Response response;
  response.headers.add("Content-Type", "application/octet-stream");
  response.stream = [file](const std::shared_ptr<http::ResponseStream>& out) {
    std::string piece(64 << 10, '\0');
    while (file->read(piece.data(), static_cast<std::streamsize>(piece.size())) ||
           file->gcount() > 0)
      if (!out->write(std::string_view(piece).substr(0, static_cast<std::size_t>(file->gcount()))))
        return;
    out->finish();
  };
  return response;
}

}  // namespace renga::postgresql
