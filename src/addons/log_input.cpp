#include "addons/log_input.h"

#include <algorithm>

#include "base/text.h"

namespace renga::addons {
namespace {

constexpr const char* context = "addon-log-input";
constexpr std::string_view scheme_end = "://", prefix = "t.";
constexpr std::size_t longest_token = 400;

// Of base64, what stands for itself in a URL and in its user's password.
std::string for_url(std::string text) {
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::string from_url(std::string text) {
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  return text;
}

}  // namespace

std::string LogInput::url(const Addon& addon, const Id<apps::App>& app) {
  if (!catalog_.service(addon.service).manifest.log_input) return {};
  const auto token = std::string(prefix) +
                     for_url(text::base64(box_.seal(addon.id.value + " " + app.value, context)));
  auto url = api_url_;
  url.insert(url.find(scheme_end) + scheme_end.size(), "token:" + token + "@");
  return url + "/logs";
}

Result<LogInput::Source> LogInput::find(std::string_view token) {
  const auto refused =
      fail(Kind::unauthorized, "This is no token of a log input, or not any more.");
  if (!token.starts_with(prefix) || token.size() > longest_token) return refused;
  const auto sealed = text::from_base64(from_url(std::string(token.substr(prefix.size()))));
  if (!sealed) return refused;
  std::string pair;
  try {
    pair = box_.open(*sealed, context);
  } catch (const std::runtime_error&) {
    return refused;
  }
  const auto [addon_id, app_id] = text::split_once(pair, ' ');
  const auto addon = books_.find(Id<Addon>{std::string(addon_id)});
  if (!addon || (addon->state != State::provisioned && addon->state != State::provisioning))
    return refused;
  const Id<apps::App> app{std::string(app_id)};
  const auto attachments = books_.attachments_of(addon->id);
  if (std::ranges::none_of(attachments, [&](const auto& each) { return each.app == app; }))
    return refused;
  const auto service = catalog_.service(addon->service);
  if (!service.manifest.log_input)
    return fail(Kind::forbidden,
                "The manifest of " + service.name() + " does not require log_input any more.");
  return Source{addon->id, app, service.name()};
}

}  // namespace renga::addons
