#include "api/webhook_news.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "api/account_handlers.h"
#include "api/addon_handlers.h"
#include "api/addon_objects.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "base/report.h"

namespace renga::api {
namespace {

struct Told {
  Handler handler;
  std::string_view entity;
  std::string_view action;
};

// The calls whose answer is the thing, or the things, that something happened to.
constexpr std::array told = {
    Told{addon_create, "api:addon", "create"},
    Told{addon_undelete, "api:addon", "create"},
    Told{addon_update, "api:addon", "update"},
    Told{addon_action_provision, "api:addon", "update"},
    Told{addon_delete, "api:addon", "destroy"},
    Told{addon_action_deprovision, "api:addon", "destroy"},
    Told{attachment_create, "api:addon-attachment", "create"},
    Told{attachment_delete, "api:addon-attachment", "destroy"},
    Told{app_update, "api:app", "update"},
    Told{app_delete, "api:app", "destroy"},
    Told{collaborator_create, "api:collaborator", "create"},
    Told{collaborator_update, "api:collaborator", "update"},
    Told{collaborator_delete, "api:collaborator", "destroy"},
    Told{domain_create, "api:domain", "create"},
    Told{domain_update, "api:domain", "update"},
    Told{domain_delete, "api:domain", "destroy"},
    Told{formation_update, "api:formation", "update"},
    Told{formation_batch_update, "api:formation", "update"},
    Told{sni_endpoint_create, "api:sni-endpoint", "create"},
    Told{sni_endpoint_update, "api:sni-endpoint", "update"},
    Told{sni_endpoint_delete, "api:sni-endpoint", "destroy"},
};

std::string text_in_member(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

// An app's own webhooks, and those of the add-ons that are attached to it.
void add_owners(std::vector<webhooks::Owner>& owners, const Services& services,
                const Id<apps::App>& app) {
  owners.push_back({webhooks::Owner::Kind::app, app.value});
  for (const auto& attachment : services.marketplace.addons.attachments_on(app))
    owners.push_back({webhooks::Owner::Kind::addon, attachment.addon.value});
}

// URLs that let in whoever has them (to a dyno, to a dashboard, to output) are the caller's alone,
// and so is what a source's address may carry.
json::object without_doors(json::object thing, std::string_view entity) {
  for (const auto* door : {"attach_url", "output_stream_url", "log_input_url"})
    if (thing.contains(door)) thing[door] = nullptr;
  if (entity.starts_with("api:addon")) thing["web_url"] = nullptr;
  if (auto* source = thing.if_contains("source_blob"); source != nullptr && source->is_object())
    source->get_object().erase("url");
  return thing;
}

bool is_gone(const Services& services, const webhooks::Owner& owner) {
  if (owner.kind == webhooks::Owner::Kind::app) return !services.apps.find(Id<apps::App>{owner.id});
  const auto addon = services.marketplace.addons.find(owner.id);
  return !addon || addon->state == addons::State::deprovisioning ||
         addon->state == addons::State::deprovisioned;
}

// A call that nobody made, to write things as the API does.
template <class Write>
void by_itself(const Services& services, Parts& parts, std::string_view what, Write write) {
  try {
    if (!services.webhooks.any()) return;
    http::Request request;
    Call call{services, parts, request, {}};
    write(call);
  } catch (const std::exception& trouble) {
    report("webhooks", fmt::format("news of {}: {}", what, trouble.what()));
  }
}

void publish_of_app(Call& call, const Id<apps::App>& app, std::string_view entity, bool is_new,
                    const Id<accounts::Account>& actor, json::object thing) {
  webhooks::News news;
  add_owners(news.owners, call.services, app);
  news.entity = entity;
  news.action = is_new ? "create" : "update";
  news.data = json::serialize(without_doors(std::move(thing), entity));
  news.actor_id = actor.value;
  news.actor_email = text_in_member(call.user(actor), "email");
  call.services.webhooks.publish(news);
}

}  // namespace

WebhookNews::WebhookNews(Call& call, const RouteRow& row) {
  const auto* found = std::ranges::find(told, row.handler, &Told::handler);
  if (found == told.end() || !call.services.webhooks.any()) return;
  kind_ = Kind{found->entity, found->action};
  const auto& params = call.request.params;
  if (params.contains("app"))
    if (const auto app = call.app(apps::Permission::view))
      add_owners(owners_, call.services, app->id);
}

void WebhookNews::publish(Call& call, const Answer& answer) {
  if (!kind_ || answer.status / 100 != 2) return;
  if (answer.body.is_object()) publish(call, answer.body.get_object());
  if (answer.body.is_array())
    for (const auto& thing : answer.body.get_array())
      if (thing.is_object()) publish(call, thing.get_object());
}

void WebhookNews::publish(Call& call, const json::object& thing) {
  const auto& services = call.services;
  const auto id = text_in_member(thing, "id");
  auto app = kind_->entity == "api:app" ? id : std::string();
  if (const auto* of = thing.if_contains("app"); of != nullptr && of->is_object())
    app = text_in_member(of->get_object(), "id");

  webhooks::News news;
  news.owners = owners_;
  if (!app.empty()) add_owners(news.owners, services, Id<apps::App>{app});
  if (kind_->entity == "api:addon") news.owners.push_back({webhooks::Owner::Kind::addon, id});
  news.entity = kind_->entity;
  news.action = kind_->action;
  news.data = json::serialize(without_doors(thing, kind_->entity));
  news.actor_id = call.account().id.value;
  news.actor_email = call.account().email;
  services.webhooks.publish(news);
  if (kind_->action == "destroy")
    for (const auto& owner : news.owners)
      if (is_gone(services, owner)) services.webhooks.owner_gone(owner);
}

void publish_release(const Services& services, Parts& parts, const releases::Release& release) {
  by_itself(services, parts, "a release", [&](Call& call) {
    if (const auto app = services.apps.find(release.app))
      publish_of_app(call, release.app, "api:release", release.created_at == release.updated_at,
                     release.user, to_json(call, *app, release));
  });
}

void publish_build(const Services& services, Parts& parts, const builds::Build& build) {
  by_itself(services, parts, "a build", [&](Call& call) {
    publish_of_app(call, build.app, "api:build", build.status == builds::BuildStatus::pending,
                   build.user, to_json(call, build));
  });
}

void publish_dyno(const Services& services, Parts& parts, const dynos::Dyno& dyno) {
  by_itself(services, parts, "a dyno", [&](Call& call) {
    const auto app = services.apps.find(dyno.app);
    if (!app) return;
    webhooks::News news;
    add_owners(news.owners, services, dyno.app);
    news.entity = "dyno";
    news.action = dyno.state == dynos::State::down      ? "destroy"
                  : dyno.created_at == dyno.state_since ? "create"
                                                        : "update";
    news.data = json::serialize(without_doors(to_json(*app, dyno), "dyno"));
    news.actor_id = fixed_uuid("actor/dynos");
    news.actor_email = "dynos@localhost";
    call.services.webhooks.publish(news);
  });
}

}  // namespace renga::api
