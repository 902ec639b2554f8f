// Manifest: what a provider says of itself, in Heroku's format (addon-manifest.json) with renga's
// additions; docs/addons.md has all of it. A value; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace renga::addons {

struct ManifestPlan {
  std::string name;
  std::string human_name;
  std::string description;
  std::string state;
  std::int64_t cents = 0;
  std::string unit;
  bool contract = false;
  bool is_default = false;
  bool visible = true;
};

// Between platform and provider; empty where the manifest left it out.
struct Secrets {
  std::string password;       // the platform's, to the provider
  std::string sso_salt;       // signs single sign-on
  std::string client_secret;  // the provider's, when it exchanges a grant
};

struct Manifest {
  std::string id;
  std::string human_name;
  std::string cli_plugin_name;
  std::string docs_url;  // where people read about it; empty: not said
  std::string state;     // alpha, beta, ga, shutdown
  std::string prefix;
  std::vector<std::string> config_vars;
  std::string default_attachment_name;
  bool many_per_app = false;
  bool attachable = false;
  bool syslog_drain = false;  // it may have its apps' logs delivered to it
  bool log_input = false;     // it may write into them
  std::string base_url;       // without a slash at the end
  std::string sso_url;        // empty: none
  std::vector<std::string> data_paths;
  std::vector<ManifestPlan> plans;  // at least one; exactly one is the default
  Secrets secrets;

  // Kind::invalid: what is wrong with it, one thing at a time.
  static Result<Manifest> parse(std::string_view json);
  // Without secrets; parse() reads it back.
  std::string to_json() const;

  bool has_var(std::string_view name) const;
  // "https://errortank.example": where its data API is.
  std::string origin() const;
};

// Whether the URL is https, or http to this machine. Kind::invalid, with `what` it is of.
Result<std::string> check_provider_url(std::string_view what, const std::string& url);
// ^[A-Z][0-9A-Z_]+$
bool is_var_name(std::string_view name);

}  // namespace renga::addons
