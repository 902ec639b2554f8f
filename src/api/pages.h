// Pages for people with a browser, whose address is a capability: what signs in to an add-on's
// dashboard, and the dashboards of add-ons that the platform itself provides.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/call.h"

namespace renga::api {

// As text of an element or of an attribute in quotes.
std::string html(std::string_view text);

// A whole page, which may load nothing from anywhere; `policy` allows more.
Answer page(int status, const std::string& body, std::string_view policy = "script-src 'none'");
Answer page_gone();  // 404

// Who opened /sso/{capability}: somebody who may operate `context`, which the add-on is attached
// to.
struct SignedOn {
  accounts::Account user;
  addons::Addon addon;
  apps::App context;
  std::string service;
};
std::optional<SignedOn> signed_on(Call& call);

// scheduler_page.cpp: an app's scheduled jobs, and what its forms ask for.
Answer scheduler_page(Call& call, const SignedOn& who, std::string_view trouble = {});
Answer scheduler_change(Call& call, const SignedOn& who);

}  // namespace renga::api
