// The log input of add-ons: what their providers write into the logs of the apps that have them.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>

#include "api/addon_handlers.h"
#include "base/text.h"
#include "logs/input_frames.h"

namespace renga::api {
namespace {

constexpr std::size_t longest_process = 64;

// The URL's password. Its user is always "token".
std::string token_in(const http::Request& request) {
  const auto given = request.headers.value_or("Authorization", "");
  if (!text::lower(given.substr(0, 6)).starts_with("basic ")) return {};
  const auto pair = text::from_base64(text::trim(given.substr(6)));
  return pair ? std::string(text::split_once(*pair, ':').second) : std::string();
}

// "errortank.tank-1": under the service's name, whatever the provider says, so that none of it can
// be taken for a dyno's or the platform's.
std::string process_of(const logs::InputFrame& frame, const std::string& service) {
  auto process = std::string(frame.process.substr(0, longest_process));
  std::ranges::replace_if(
      process,
      [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '-' && c != '_';
      },
      '_');
  if (process == "-" || process == service) return service;
  return service + "." + process;
}

}  // namespace

Result<Answer> addon_log_input(Call& call) {
  auto& services = call.services;
  const auto source = TRY(services.marketplace.log_input.find(token_in(call.request)));
  if (!call.parts.log_inputs.take(source.addon.value)) {
    auto answer = refusal(429, "rate_limit",
                          "Too many calls for this add-on: gather messages and send many in one.");
    answer.headers.set("Retry-After", "1");
    return answer;
  }
  const auto frames = TRY(logs::input_frames(call.request.body));
  std::vector<std::string> processes;
  processes.reserve(frames.size());
  for (const auto& frame : frames) processes.push_back(process_of(frame, source.service));
  // The time is that of arrival: a log is read by it, from disk too.
  const auto now = services.clock.now();
  std::vector<logs::LineView> lines;
  lines.reserve(frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i)
    lines.push_back({now, "app", processes[i], frames[i].message});
  services.logs.append(source.app, lines);
  Answer answer;
  answer.whole.emplace();
  answer.whole->status = 204;
  return answer;
}

}  // namespace renga::api
