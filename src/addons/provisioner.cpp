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
                         Grants& grants, LogDrains& log_drains, OwedReleases& owed,
                         Provider& provider, ProvisionerOptions options)
    : database_(database),
      clock_(clock),
      books_(books),
      catalog_(catalog),
      grants_(grants),
      log_drains_(log_drains),
      owed_(owed),
      provider_(provider),
      options_(std::move(options)) {}

Provisioner::~Provisioner() {
  running_.lock()->stop = true;
  changed_.notify_all();
  provider_.stop();
  for (auto& thread : threads_) thread.join();
}

void Provisioner::start() {
  books_.all_due_now();
  for (int i = 0; i < options_.workers; ++i) threads_.emplace_back([this] { serve(); });
}

void Provisioner::poke() {
  ++running_.lock()->pokes;
  changed_.notify_all();
}

std::unique_ptr<Provisioner::Claim> Provisioner::claim(const Id<Addon>& addon,
                                                       const Id<Service>& service) {
  auto running = running_.lock();
  if (running->stop || std::cmp_greater_equal(running->addons.size(), options_.at_once) ||
      running->services[service] >= options_.at_once_of_a_service ||
      !running->addons.insert(addon).second)
    return nullptr;
  ++running->services[service];
  return std::make_unique<Claim>(*this, addon, service);
}

void Provisioner::release(const Id<Addon>& addon, const Id<Service>& service) {
  auto running = running_.lock();
  running->addons.erase(addon);
  if (--running->services[service] == 0) running->services.erase(service);
  ++running->pokes;
  changed_.notify_one();
}

void Provisioner::serve() {
  std::uint64_t heard = 0;
  for (;;) {
    auto sleep = Duration(longest_sleep);
    try {
      {
        auto running = running_.lock();
        if (running->stop) return;
        heard = running->pokes;
      }
      sweep();
      while (take_one())
        if (running_.lock()->stop) return;
      // What is due and was not taken is another's just now, who pokes when they are done.
      if (const auto next = books_.next_due())
        sleep = std::clamp<Duration>(*next - clock_.now(), std::chrono::seconds(1), longest_sleep);
    } catch (const std::exception& trouble) {
      report("addons", fmt::format("a round of the worker: {}", trouble.what()));
      sleep = std::chrono::seconds(5);
    }
    auto running = running_.lock();
    running.wait_for(changed_, sleep, [&] { return running->stop || running->pokes != heard; });
    if (running->stop) return;
  }
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
