// The values of this room: Service, Plan, Addon, Attachment.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "addons/manifest.h"
#include "apps/app.h"

namespace renga::addons {

// Service: what one provider offers ("heroku-postgresql"), by its manifest.
struct Service {
  Id<Service> id;
  Manifest manifest;
  Time created_at;
  Time updated_at;
  const std::string& name() const { return manifest.id; }
};

struct Plan {
  Id<Plan> id;
  Id<Service> service;
  std::string service_name;
  std::string name;  // "essential-0"
  std::string human_name;
  std::string description;
  std::string state;
  std::int64_t cents = 0;  // a `unit`
  std::string unit;
  bool contract = false;
  bool is_default = false;
  bool visible = true;
  bool offered = true;  // still in the manifest
  Time created_at;
  Time updated_at;
  std::string full_name() const { return service_name + ":" + name; }
};

enum class State { provisioning, provisioned, deprovisioning, deprovisioned };

// What is still to be asked of the provider. `wait`: it said that it will tell.
enum class Task { none, provision, wait, update, deprovision };

struct Addon {
  Id<Addon> id;
  std::string name;  // of all add-ons
  Id<apps::App> app;
  std::string app_name;
  Id<Service> service;
  Id<Plan> plan;
  Id<accounts::Account> user;
  State state = State::provisioning;
  Task task = Task::none;
  std::optional<Id<Plan>> wanted_plan;
  int attempts = 0;
  std::optional<Time> due_at;
  std::string problem;  // of the last attempt, for operators
  bool confirmed = false;
  bool announced = false;
  // When it was destroyed, and who had its app then; also while it is being brought back.
  std::optional<Time> gone_at;
  std::optional<Id<accounts::Account>> former_owner;
  std::string provider_id;
  std::string message;
  Time created_at;
  Time updated_at;
};

// Attachment: an add-on's name on an app, from which its config vars there have theirs.
struct Attachment {
  Id<Attachment> id;
  Id<Addon> addon;
  Id<apps::App> app;
  std::string name;                       // "DATABASE"
  std::optional<std::string> name_space;  // "credential:readonly"
  Time created_at;
  Time updated_at;
};

}  // namespace renga::addons
