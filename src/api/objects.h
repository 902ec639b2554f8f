// The small objects that others are made of, and what several resources write the same way.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "api/call.h"
#include "apps/apps.h"
#include "apps/config_vars.h"

namespace renga::api {

// A UUID that is always the same for the same text: for things that have a name and no row.
std::string fixed_uuid(std::string_view text);

json::object app_ref(const apps::App& app);       // {"id", "name"}
json::object stack_ref(std::string_view name);    // {"id", "name"}
json::object region_ref(std::string_view name);   // {"id", "name"}
json::object generation_ref();                    // {"id", "name"}
json::value text_or_null(std::string_view text);  // null for an empty one
// When this platform's own things (stacks, regions, sizes) came to be.
std::string platform_time();

// The stack of that name or id. Kind::invalid: none such; the message has the list.
Result<std::string> stack_named(const apps::Apps& apps, std::string_view identity);
// The same of a region.
Result<std::string> region_named(std::string_view identity);

json::object to_json(const Call& call, const apps::App& app, const accounts::Account& owner);
json::object to_json(Call& call, const apps::App& app, const releases::Release& release);
json::object to_json(Call& call, const builds::Build& build);
json::object to_json(const apps::App& app, const dynos::Dyno& dyno);
// {"NAME": "value", "OTHER": null}: a name without a value goes.
Result<apps::ConfigChanges> config_changes_in(const json::object& body);
// With its secrets masked.
json::object to_json(Call& call, const logs::Drain& drain);
json::object buildpack_json(const apps::BuildpackInstallation& installation);  // {"url", "name"}

// The file as it is, piece by piece.
Answer send_file(const std::filesystem::path& path, std::string_view content_type);

}  // namespace renga::api
