// The part of Provisioner that decides: what a provider's answer makes of an add-on. The table in
// docs/addons.md says the same for people.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "addons/names.h"
#include "addons/provisioner.h"
#include "base/text.h"

namespace renga::addons {
namespace {

constexpr std::array<std::chrono::seconds, 10> pauses = {
    std::chrono::seconds(1),  std::chrono::seconds(2),  std::chrono::seconds(5),
    std::chrono::seconds(15), std::chrono::seconds(30), std::chrono::seconds(60),
    std::chrono::minutes(2),  std::chrono::minutes(5),  std::chrono::minutes(15),
    std::chrono::hours(1)};
constexpr std::chrono::minutes provision_tries{15};

std::chrono::seconds pause_after(int attempts) {
  return pauses[static_cast<std::size_t>(std::clamp(attempts, 1, 10)) - 1];
}

std::unexpected<Error> refused(const Addon& addon, const ProviderAnswer& answer,
                               std::string_view what) {
  if (!answer.message.empty()) return fail(Kind::invalid, answer.message);
  return fail(Kind::invalid, fmt::format("The provider of {} refused to {} (status {}).",
                                         addon.name, what, answer.status));
}

Id<accounts::Account> provider_of(const Addon& addon) { return {addon.service.value}; }

}  // namespace

Result<void> Provisioner::apply(const Id<Addon>& id, Task asked, ProviderAnswer answer,
                                Patience patience) {
  auto transaction = database_.begin();
  auto addon = books_.find(id);
  if (!addon) return {};
  auto result = asked == Task::provision ? provisioned(*addon, answer, patience)
                : asked == Task::update  ? updated(*addon, answer)
                                         : deprovisioned(*addon, answer);
  transaction.commit();
  return result;
}

// What the provider may not set is an answer that is not understood: nobody guesses which half of
// it was meant.
void Provisioner::check(const Addon& addon, ProviderAnswer& answer) {
  if (!answer.problem.empty()) return;
  const auto manifest = catalog_.service(addon.service).manifest;
  if (answer.config)
    for (const auto& [var, value] : *answer.config)
      if (!manifest.has_var(var))
        answer.problem = fmt::format("it sets {}, which is not in its manifest",
                                     text::printable(var.substr(0, 100)));
  if (answer.log_drain_url.empty()) return;
  if (!manifest.syslog_drain)
    answer.problem = "it has a log_drain_url, and its manifest does not require syslog_drain";
  else if (const auto url = logs::DrainUrl::parse(answer.log_drain_url); !url)
    answer.problem = "its log_drain_url is refused: " + url.error().message;
}

Result<void> Provisioner::provisioned(Addon addon, ProviderAnswer& answer, Patience patience) {
  check(addon, answer);
  auto outcome = outcome_of(answer);
  const bool has_it = outcome == Outcome::done || outcome == Outcome::later;
  if (has_it && !answer.id) {
    answer.problem = "its answer has no `id`";
    outcome = Outcome::no_answer;
  }
  if (outcome == Outcome::done || outcome == Outcome::later) {
    addon.confirmed = true;
    addon.provider_id = *answer.id;
    addon.problem.clear();
    if (!answer.message.empty()) addon.message = answer.message;
    if (answer.config) books_.set_config(addon.id, "", *answer.config);
    if (!answer.log_drain_url.empty() && addon.task == Task::provision)
      log_drains_.put_first(addon, answer.log_drain_url).value();  // looked at by check()
  }

  // Destroyed while it was asked, or the provider was quicker to tell than to answer.
  if (addon.task != Task::provision) {
    books_.update(addon);
    if (answer.config && addon.state == State::provisioned) owe_update(addon, std::nullopt);
    return {};
  }
  switch (outcome) {
    case Outcome::done:
      finish_provisioning(addon);
      return {};
    case Outcome::later:
      announce(addon);
      addon.task = Task::wait;
      addon.due_at = clock_.now() + options_.longest_wait;
      books_.update(addon);
      return {};
    case Outcome::no_answer:
      if (patience == Patience::some && clock_.now() - addon.created_at < provision_tries) {
        ask_again(addon, answer.problem);
        return fail(Kind::unavailable, "The provider gave no usable answer; it is asked again.");
      }
      give_up_provisioning(addon, "The provider gave no usable answer.", /*clean_up=*/true);
      return fail(
          Kind::unavailable,
          fmt::format("The provider of {} gave no usable answer, so nothing was added to {}. "
                      "Try again later; the server's log says more.",
                      catalog_.service(addon.service).name(), addon.app_name));
    default:
      break;
  }
  auto result = refused(addon, answer, "provision it");
  // An earlier attempt, whose answer was lost, may have made it all the same; and what was to come
  // back may have come halfway.
  give_up_provisioning(addon, result.error().message,
                       /*clean_up=*/addon.attempts > 1 || addon.gone_at.has_value());
  return result;
}

Result<void> Provisioner::updated(Addon addon, ProviderAnswer& answer) {
  if (addon.task != Task::update) return {};  // destroyed meanwhile
  check(addon, answer);
  const auto outcome = outcome_of(answer);
  if (outcome == Outcome::no_answer) {
    ask_again(addon, answer.problem);
    return fail(Kind::unavailable,
                fmt::format("The provider of {} gave no usable answer. It is asked again until it "
                            "does; until then the plan stays as it is.",
                            addon.name));
  }
  addon.task = Task::none;
  addon.due_at.reset();
  addon.problem.clear();
  if (outcome == Outcome::done || outcome == Outcome::later) {
    addon.plan = *addon.wanted_plan;
    addon.wanted_plan.reset();
    addon.message = answer.message;
    books_.update(addon);
    if (answer.config && *answer.config != books_.config(addon.id, "")) {
      books_.set_config(addon.id, "", *answer.config);
      owe_update(addon, std::nullopt);
    }
    return {};
  }
  addon.wanted_plan.reset();
  books_.update(addon);
  return refused(addon, answer, "change the plan");
}

Result<void> Provisioner::deprovisioned(Addon addon, ProviderAnswer& answer) {
  if (addon.task != Task::deprovision) return {};  // the provider has said so by itself
  const auto outcome = outcome_of(answer);
  const bool never_there = outcome == Outcome::missing && !addon.confirmed;
  if (outcome == Outcome::done || outcome == Outcome::gone || never_there) {
    finish_deprovisioning(addon);
    return {};
  }
  if (outcome == Outcome::later) {
    addon.due_at = clock_.now() + std::chrono::hours(1);
    addon.problem = "The provider said that it will tell when it is gone.";
    books_.update(addon);
    return {};
  }
  ask_again(addon, answer.problem.empty()
                       ? fmt::format("its answer to DELETE has the status {}", answer.status)
                       : answer.problem);
  return fail(Kind::unavailable,
              fmt::format("The provider of {} did not say that it is gone: {}. It is asked again.",
                          addon.name, addon.problem));
}

void Provisioner::ask_again(Addon& addon, const std::string& problem) {
  addon.problem = problem.empty() ? "it did not say yes or no" : problem;
  addon.due_at = clock_.now() + pause_after(addon.attempts);
  books_.update(addon);
}

// "Attach" comes before "completed provisioning", and only once the provider has agreed.
void Provisioner::announce(Addon& addon) {
  if (addon.announced) return;
  addon.announced = true;
  for (const auto& attachment : books_.attachments_of(addon.id)) {
    const auto& name =
        attachment.name.front() == taking_over ? attachment.name.substr(1) : attachment.name;
    books_.owe(
        {attachment.app, fmt::format("Attach {} (@ref:{})", name, addon.name), addon.user, false});
  }
}

void Provisioner::finish_provisioning(Addon& addon) {
  announce(addon);
  addon.state = State::provisioned;
  addon.task = Task::none;
  addon.due_at.reset();
  addon.attempts = 0;
  addon.confirmed = true;
  addon.gone_at.reset();
  addon.former_owner.reset();
  books_.update(addon);
  std::vector<std::string> vars;
  for (const auto& attachment : books_.attachments_of(addon.id)) {
    if (attachment.name.front() == taking_over) {
      const auto name = attachment.name.substr(1);
      for (const auto& other : books_.attachments_on(attachment.app))
        if (other.name == name) books_.remove(other.id);
      books_.rename(attachment.id, name);
    }
    if (attachment.app == addon.app)
      for (auto& var : owed_.var_names(attachment, addon)) vars.push_back(std::move(var));
  }
  if (!vars.empty())
    books_.owe({addon.app,
                fmt::format("@ref:{} completed provisioning, setting {}.", addon.name,
                            text::join(vars, ", ")),
                provider_of(addon), true});
}

void Provisioner::detach_all(const Addon& addon, const Id<accounts::Account>& user) {
  for (const auto& attachment : books_.attachments_of(addon.id)) {
    books_.remove(attachment.id);
    if (addon.announced && attachment.name.front() != taking_over)
      books_.owe({attachment.app, fmt::format("Detach {} (@ref:{})", attachment.name, addon.name),
                  user, addon.state == State::provisioned});
  }
}

void Provisioner::begin_deprovisioning(Addon& addon, const Id<accounts::Account>& user) {
  detach_all(addon, user);
  log_drains_.remove_all(addon);
  books_.note_destroyed(addon);
  addon.state = State::deprovisioning;
  addon.task = Task::deprovision;
  addon.wanted_plan.reset();
  addon.attempts = 0;
  addon.due_at = clock_.now();
  books_.update(addon);
}

void Provisioner::give_up_provisioning(Addon& addon, const std::string& why, bool clean_up) {
  addon.message = why;
  begin_deprovisioning(addon, provider_of(addon));
  if (!clean_up) finish_deprovisioning(addon);
}

void Provisioner::finish_deprovisioning(Addon& addon) {
  detach_all(addon, provider_of(addon));
  log_drains_.remove_all(addon);
  books_.note_destroyed(addon);
  addon.state = State::deprovisioned;
  addon.task = Task::none;
  addon.due_at.reset();
  addon.problem.clear();
  books_.forget_config(addon.id);
  books_.update(addon);
}

void Provisioner::owe_update(const Addon& addon, const std::optional<std::string>& name_space) {
  const auto service = catalog_.service(addon.service).name();
  // An app that it is attached to twice, as after a promotion, is restarted once.
  std::map<Id<apps::App>, std::vector<std::string>> names;
  for (const auto& attachment : books_.attachments_of(addon.id))
    if (attachment.name_space == name_space) names[attachment.app].push_back(attachment.name);
  for (auto& [app, its] : names) {
    std::ranges::sort(its);
    books_.owe({app, fmt::format("Update {} by {}", text::join(its, ", "), service),
                provider_of(addon), false});
  }
}

}  // namespace renga::addons
