// Add-ons, attachments, plans and services as JSON, and who may ask for which: for the files of
// add-ons alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/call.h"

namespace renga::api {

json::object to_json(const addons::Service& service);
json::object to_json(const addons::Plan& plan);
json::object to_json(Call& call, const addons::Addon& addon);
json::object to_json(Call& call, const addons::Attachment& attachment);

// The billing app: {"id", "name"}, also when it is gone.
json::object app_of(Call& call, const addons::Addon& addon);

// An add-on that the caller may use so, by id or name: its own provider; who may use its app; and,
// to look at it, who may see an app that it is attached to. Kind::not_found for all others.
Result<addons::Addon> addon_for(Call& call, std::string_view identity, apps::Permission permission);
// The add-on of {addon}; and of {app} and {addon}.
Result<addons::Addon> addon_in(Call& call, apps::Permission permission);
Result<addons::Addon> addon_in_app(Call& call, apps::Permission permission);

// What a resolve call asks for: a name ("app::name" has its app before it), of one service or of
// any.
struct Wanted {
  std::optional<std::string> app;
  std::string name;
  std::optional<std::string> service;  // its name or id

  bool of_service(Call& call, const addons::Addon& addon) const;
};
Result<Wanted> wanted_in(Call& call, std::string_view key);

// For a name in use (Kind::conflict): 423 with the header that tells clients what to confirm. Other
// errors are passed on.
Result<Answer> ask_to_confirm(const Error& error, const apps::App& app);

}  // namespace renga::api
