// The part of Provisioner that talks: claims, workers, and one attempt. What follows from an answer
// is in outcomes.cpp.
#include "addons/provisioner.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/report.h"

namespace renga::addons {
namespace {

constexpr std::chrono::seconds longest_sleep{60};
constexpr std::chrono::hours tombstones_for{7 * 24};

}  // namespace

Provisioner::Provisioner(store::Database& database, Clock& clock, Books& books, Catalog& catalog,
                         Grants& grants, LogDrains& log_drains, LogInput& log_input,
                         OwedReleases& owed, Provider& provider, ProvisionerOptions options)
    : database_(database),
      clock_(clock),
      books_(books),
      catalog_(catalog),
      grants_(grants),
      log_drains_(log_drains),
      log_input_(log_input),
      owed_(owed),
      provider_(provider),
      options_(std::move(options)),
      workers_("addons", [this] { return round(); }) {}

Provisioner::~Provisioner() {
  workers_.stop();
  provider_.stop();
}

void Provisioner::start() {
  books_.all_due_now();
  workers_.start(options_.workers);
}

std::unique_ptr<Provisioner::Claim> Provisioner::claim(const Id<Addon>& addon,
                                                       const Id<Service>& service) {
  auto running = running_.lock();
  if (workers_.stopping() || std::cmp_greater_equal(running->addons.size(), options_.at_once) ||
      running->services[service] >= options_.at_once_of_a_service ||
      !running->addons.insert(addon).second)
    return nullptr;
  ++running->services[service];
  return std::make_unique<Claim>(*this, addon, service);
}

void Provisioner::release(const Id<Addon>& addon, const Id<Service>& service) {
  {
    auto running = running_.lock();
    running->addons.erase(addon);
    if (--running->services[service] == 0) running->services.erase(service);
  }
  workers_.poke();
}

Duration Provisioner::round() {
  sweep();
  while (!workers_.stopping() && take_one()) {
  }
  // What is due and was not taken is another's just now, who pokes when they are done.
  const auto next = books_.next_due();
  if (!next) return longest_sleep;
  return std::clamp<Duration>(*next - clock_.now(), std::chrono::seconds(1), longest_sleep);
}

void Provisioner::work() {
  sweep();
  while (take_one()) {
  }
}

// What nobody else looks after: releases that a crash left unpaid, add-ons whose app is gone.
void Provisioner::sweep() {
  {
    auto transaction = database_.begin();
    for (auto& addon : books_.orphans()) begin_deprovisioning(addon, addon.user);
    books_.forget_older_than(clock_.now() - tombstones_for);
    transaction.commit();
  }
  settle();
}

void Provisioner::settle() {
  owed_.pay();
  log_drains_.follow();
}

bool Provisioner::take_one() {
  for (const auto& addon : books_.due(clock_.now())) {
    const auto taken = claim(addon.id, addon.service);
    if (!taken) continue;
    const auto done = carry_out(*taken, Patience::some);
    if (!done) report("addons", fmt::format("{}: {}", addon.name, done.error().message));
    return true;
  }
  return false;
}

ProviderAnswer Provisioner::ask(const Addon& addon) {
  const auto service = catalog_.service(addon.service);
  const auto secrets = catalog_.secrets(addon.service);
  const Endpoint endpoint{service.manifest.base_url, service.name(), secrets.password};
  if (addon.task == Task::update)
    return provider_.change_plan(endpoint, addon.id.value, catalog_.plan(*addon.wanted_plan).name);
  if (addon.task == Task::deprovision) return provider_.deprovision(endpoint, addon.id.value);

  const auto grant = grants_.issue(addon.id);
  const bool drains = service.manifest.syslog_drain;
  return provider_.provision(endpoint,
                             {.uuid = addon.id.value,
                              .name = addon.name,
                              .plan = catalog_.plan(addon.plan).name,
                              .options = books_.options(addon.id),
                              .undelete = addon.gone_at.has_value(),
                              .log_drain_token = drains ? LogDrains::first_token(addon) : "",
                              .log_input_url = log_input_.url(addon, addon.app),
                              .callback_url = options_.api_url + "/addons/" + addon.id.value,
                              .grant_code = grant.code,
                              .grant_expires_at = grant.expires_at});
}

Result<void> Provisioner::carry_out(const Claim& claim, Patience patience) {
  std::optional<Addon> addon;
  {
    auto transaction = database_.begin();
    addon = books_.find(claim.addon());
    // Somebody was quicker, or it is not due any more.
    if (!addon || addon->task == Task::none ||
        (addon->task == Task::wait && addon->due_at > clock_.now()))
      return {};
    if (addon->task == Task::wait) {
      give_up_provisioning(*addon, "The provider did not say in time that it is done.", true);
    } else {
      ++addon->attempts;
      books_.update(*addon);
    }
    transaction.commit();
  }
  settle();
  auto answer = ask(*addon);
  if (!answer.problem.empty())
    report("addons", fmt::format("the provider of {}: {}", addon->name, answer.problem));
  auto result = apply(addon->id, addon->task, std::move(answer), patience);
  settle();
  return result;
}

}  // namespace renga::addons
