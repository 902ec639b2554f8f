// The part of Addons that names, attaches and finds.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "addons/addons.h"
#include "addons/names.h"
#include "base/text.h"

namespace renga::addons {
namespace {

std::set<std::string> vars_of(std::string_view attachment, const Manifest& manifest) {
  std::set<std::string> vars;
  for (const auto& var : manifest.config_vars) vars.insert(var_on(attachment, manifest, var));
  return vars;
}

std::optional<std::string> common(const std::set<std::string>& some,
                                  const std::set<std::string>& others) {
  for (const auto& each : some)
    if (others.contains(each)) return each;
  return std::nullopt;
}

// One that waits to take a name over is shown by the name it will have.
Attachment shown(Attachment attachment) {
  if (attachment.name.front() == taking_over) attachment.name.erase(0, 1);
  return attachment;
}

std::vector<Attachment> all_shown(std::vector<Attachment> attachments) {
  for (auto& attachment : attachments) attachment = shown(std::move(attachment));
  return attachments;
}

}  // namespace

// Within the transaction that uses it. A name that was asked for may be taken over, from another
// attachment or from config vars set by hand, by who confirms it; a made-up one steps aside.
Result<Addons::Name> Addons::choose_name(const apps::App& app, const Service& service,
                                         std::string_view wanted, std::string_view confirm) {
  std::set<std::string> names;
  std::set<std::string> given;
  const auto there = books_.attachments_on(app.id);
  const auto vars_there = [&](std::string_view but) {
    std::set<std::string> vars;
    for (const auto& other : there) {
      const auto addon = books_.find(other.addon);
      if (!addon || shown(other).name == but) continue;
      vars.merge(vars_of(shown(other).name, catalog_.service(addon->service).manifest));
    }
    return vars;
  };
  for (const auto& other : there) names.insert(shown(other).name);
  for (const auto& [name, value] : releases_.config_by_hand(releases_.newest(app.id)))
    given.insert(name);

  if (wanted.empty()) {
    auto candidates = coloured_names(service.manifest);
    candidates.insert(candidates.begin(), service.manifest.default_attachment_name);
    const auto taken = vars_there({});
    for (const auto& name : candidates) {
      const auto vars = vars_of(name, service.manifest);
      if (!names.contains(name) && !common(vars, taken) && !common(vars, given)) return Name{name};
    }
    return fail(Kind::invalid, "No free name was found for the attachment. Give it one.");
  }

  const auto name = TRY(attachment_name(wanted));
  const auto vars = vars_of(name, service.manifest);
  if (const auto clash = common(vars, vars_there(name)))
    return fail(Kind::invalid,
                fmt::format("Attached as {}, it would set {}, which another add-on on {} sets. "
                            "Choose another name.",
                            name, *clash, app.name));
  const auto other =
      std::ranges::find_if(there, [&](const Attachment& each) { return shown(each).name == name; });
  if (other != there.end()) {
    if (other->name.front() == taking_over)
      return fail(Kind::invalid, fmt::format("{} is being taken over just now.", name));
    TRY(may_take_over(app, *other));
  }
  const auto overwritten = common(vars, given);
  if (confirm != app.name && (other != there.end() || overwritten))
    return fail(
        Kind::conflict,
        fmt::format("{} on {} is in use: {} would be replaced. Confirm it with the app's name.",
                    other != there.end() ? name : *overwritten, app.name,
                    other != there.end() ? "the attachment " + name : *overwritten));
  return Name{name, other != there.end()};
}

// An add-on without an attachment on its own app would be paid for and used by nobody.
Result<void> Addons::may_take_over(const apps::App& app, const Attachment& other) {
  const auto addon = books_.find(other.addon);
  if (!addon || addon->app != app.id) return {};
  const auto all = books_.attachments_of(addon->id);
  const auto on_own =
      std::ranges::count_if(all, [&](const Attachment& each) { return each.app == app.id; });
  if (on_own > 1) return {};
  return fail(Kind::invalid,
              fmt::format("{} is the last attachment of {} to {}. Attach that under another name "
                          "first, or destroy it.",
                          other.name, addon->name, app.name));
}

Result<Attachment> Addons::attach(const Addon& addon, const apps::App& app,
                                  const accounts::Account& user, const NewAttachment& wanted) {
  Attachment attachment;
  {
    auto transaction = database_.begin();
    const auto now = fresh(addon);
    const auto service = catalog_.service(now.service);
    if (now.state != State::provisioned)
      return fail(Kind::invalid,
                  fmt::format("{} is not provisioned, so it cannot be attached.", now.name));
    if (!service.manifest.attachable)
      return fail(Kind::invalid, fmt::format("Add-ons of {} cannot be attached again or elsewhere.",
                                             service.name()));
    TRY(apps_.find(app.id));
    const auto there = books_.attachments_on(app.id);
    const auto same = std::ranges::find_if(there, [&](const Attachment& each) {
      return each.addon == now.id && each.name_space == wanted.name_space &&
             (wanted.name.empty() || each.name == text::upper(wanted.name));
    });
    if (same != there.end() && !wanted.name.empty()) {
      // Said twice, it is true once.
      if (wanted.confirm == app.name) return *same;
      return fail(Kind::invalid, fmt::format("{} is attached to {} as {} already.", now.name,
                                             app.name, same->name));
    }
    const auto name = TRY(choose_name(app, service, wanted.name, wanted.confirm));
    if (name.takes_over)
      for (const auto& other : there)
        if (other.name == name.name) books_.remove(other.id);
    attachment = {.id = Id<Attachment>::create(),
                  .addon = now.id,
                  .app = app.id,
                  .name = name.name,
                  .name_space = wanted.name_space,
                  .created_at = clock_.now(),
                  .updated_at = clock_.now()};
    books_.insert(attachment);
    books_.owe({app.id, fmt::format("Attach {} (@ref:{})", name.name, now.name), user.id, true});
    transaction.commit();
  }
  owed_.pay();
  return attachment;
}

Result<Attachment> Addons::detach(const Attachment& attachment, const accounts::Account& user) {
  {
    auto transaction = database_.begin();
    const auto now = books_.find(attachment.id);
    const auto addon = books_.find(attachment.addon);
    if (!now || !addon) return fail(Kind::not_found, "Couldn't find that add-on attachment.");
    if (addon->app == now->app) {
      const auto all = books_.attachments_of(addon->id);
      if (std::ranges::count_if(all,
                                [&](const Attachment& each) { return each.app == now->app; }) == 1)
        return fail(
            Kind::invalid,
            fmt::format("Cannot destroy last attachment to billing app for resource {}. Destroy "
                        "the add-on instead.",
                        addon->name));
    }
    books_.remove(now->id);
    books_.owe(
        {now->app, fmt::format("Detach {} (@ref:{})", now->name, addon->name), user.id, true});
    transaction.commit();
  }
  owed_.pay();
  return attachment;
}

Result<Addon> Addons::find(std::string_view identity) {
  auto found = is_uuid(identity) ? books_.find(Id<Addon>{text::lower(identity)})
                                 : books_.find_by_name(identity);
  if (!found) return fail(Kind::not_found, "Couldn't find that add-on.");
  return *std::move(found);
}

Result<Attachment> Addons::find_attachment(std::string_view id) {
  auto found = books_.find(Id<Attachment>{text::lower(id)});
  if (!found) return fail(Kind::not_found, "Couldn't find that add-on attachment.");
  return shown(*std::move(found));
}

std::vector<Attachment> Addons::attachments() { return all_shown(books_.attachments()); }
std::vector<Attachment> Addons::attachments_of(const Id<Addon>& addon) {
  return all_shown(books_.attachments_of(addon));
}
std::vector<Attachment> Addons::attachments_on(const Id<apps::App>& app) {
  return all_shown(books_.attachments_on(app));
}

Result<Attachment> Addons::find_attachment_on(const Id<apps::App>& app, std::string_view identity) {
  for (const auto& attachment : attachments_on(app))
    if (attachment.id.value == identity || text::equals_ignoring_case(attachment.name, identity))
      return attachment;
  return fail(Kind::not_found, "Couldn't find that add-on attachment.");
}

std::vector<Addon> Addons::resolve_on(const Id<apps::App>& app, std::string_view identity) {
  std::vector<Addon> found;
  const auto add = [&](const std::optional<Addon>& addon) {
    const bool known = addon && std::ranges::any_of(
                                    found, [&](const Addon& each) { return each.id == addon->id; });
    if (addon && !known && addon->state != State::deprovisioned) found.push_back(*addon);
  };
  const auto here = attachments_on(app);
  for (const auto& addon : books_.all_on(app))
    if (addon.name == identity || addon.id.value == identity) add(addon);
  for (const auto& attachment : here) {
    const auto addon = books_.find(attachment.addon);
    if (addon && (addon->name == identity || addon->id.value == identity)) add(addon);
  }
  if (!found.empty()) return found;
  for (const auto& attachment : here)
    if (text::equals_ignoring_case(attachment.name, identity)) add(books_.find(attachment.addon));
  if (!found.empty()) return found;
  for (const auto& attachment : here)
    for (const auto& var : config_vars(attachment))
      if (var == identity) add(books_.find(attachment.addon));
  if (!found.empty()) return found;
  if (const auto service = catalog_.service(text::split_once(identity, ':').first)) {
    for (const auto& addon : books_.all_on(app))
      if (addon.service == service->id) add(addon);
    for (const auto& attachment : here)
      if (const auto addon = books_.find(attachment.addon); addon && addon->service == service->id)
        add(addon);
  }
  return found;
}

Result<Addon> Addons::find_on(const Id<apps::App>& app, std::string_view identity) {
  auto found = resolve_on(app, identity);
  if (found.size() == 1) return std::move(found.front());
  if (found.empty()) {
    // One that is gone is still found by its name and id, so that who waits for it hears of it.
    auto gone = find(identity);
    if (gone && gone->app == app) return gone;
    return fail(Kind::not_found, "Couldn't find that add-on.");
  }
  std::vector<std::string> names;
  for (const auto& addon : found) names.push_back(addon.name);
  return fail(Kind::conflict,
              fmt::format("Ambiguous identifier; multiple matching add-ons found: {}.",
                          text::join(names, ", ")));
}

std::vector<std::string> Addons::config_vars(const Attachment& attachment) {
  const auto addon = books_.find(attachment.addon);
  if (!addon) return {};
  const auto manifest = catalog_.service(addon->service).manifest;
  std::vector<std::string> vars;
  if (addon->state == State::provisioned) return owed_.var_names(attachment, *addon);
  for (const auto& var : manifest.config_vars)
    vars.push_back(var_on(shown(attachment).name, manifest, var));
  return vars;
}

std::vector<std::string> Addons::config_vars(const Addon& addon) {
  std::vector<std::string> vars;
  for (const auto& attachment : books_.attachments_of(addon.id))
    if (attachment.app == addon.app)
      for (auto& var : config_vars(attachment)) vars.push_back(std::move(var));
  return vars;
}

}  // namespace renga::addons
