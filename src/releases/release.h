// Release: an immutable, numbered state of an app: slug, config vars, and what its add-ons give it.
// A value.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apps/app.h"
#include "apps/config_vars.h"

namespace renga::releases {

using ProcessTypes = std::map<std::string, std::string>;  // type to command

// Slug: the built app, content-addressed and shared between apps.
struct Slug {
  Id<Slug> id;
  Id<apps::App> app;      // that built it
  std::string checksum;   // "SHA256:<64 hex>" of what is in it; empty before the upload
  std::int64_t size = 0;  // bytes of its files
  std::string stack;
  std::string commit;
  std::string commit_description;
  std::string buildpack_provided_description;
  ProcessTypes process_types;
  Time created_at;
  Time updated_at;
  bool operator==(const Slug&) const = default;
};

enum class Status { pending, succeeded, failed, expired };

struct Release {
  Id<Release> id;
  Id<apps::App> app;
  int version = 0;  // per app, from 1, without gaps, never reused
  std::string description;
  Status status = Status::succeeded;
  bool current = false;  // the newest that succeeded
  Id<accounts::Account> user;
  std::optional<Id<Slug>> slug;
  std::optional<std::string> output_stream;  // of its release command; see logs::OutputStreams
  std::vector<std::string> addon_plans;      // "heroku-postgresql:essential-0", of the app then
  Time created_at;
  Time updated_at;
  bool operator==(const Release&) const = default;
};

}  // namespace renga::releases
