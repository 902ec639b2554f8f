// Single sign-on: the form that a browser posts to a provider's dashboard, signed with the salt
// that both know. Pure.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "addons/addon.h"

namespace renga::addons {

struct SignOn {
  std::string action;  // the provider's sso_url
  std::vector<std::pair<std::string, std::string>> params;
};

// `context_app`: from whose attachment the person comes.
SignOn sign_on(const Addon& addon, const Service& service, const Secrets& secrets,
               const accounts::Account& user, std::string_view app, std::string_view context_app,
               Time now);

}  // namespace renga::addons
