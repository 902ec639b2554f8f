// Provider: the seam to whoever makes the things. The real one speaks the Add-on Partner API v3
// over HTTP; tests have their own. Calls block for up to the limit and are safe from any thread.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "addons/addon.h"

namespace renga::addons {

// Where a service's provider is, and what it is told to be let in.
struct Endpoint {
  std::string base_url;
  std::string user;
  std::string password;
};

struct ProvisionRequest {
  std::string uuid;
  std::string name;
  std::string plan;  // without the service's name
  std::map<std::string, std::string> options;
  bool undelete = false;             // only if it still has what was destroyed
  std::string log_drain_token = {};  // empty: its manifest does not ask for log drains
  std::string log_input_url = {};    // the same, with a secret in it
  std::string callback_url;
  std::string grant_code;
  Time grant_expires_at;
};

// What came back. `status` 0: nothing, and `problem` says why.
struct ProviderAnswer {
  int status = 0;
  std::string problem;  // no answer, or one that is not understood; without secrets
  std::optional<std::string> id;
  std::optional<std::map<std::string, std::string>> config;
  std::string message;
  std::string log_drain_url = {};  // empty: none
};

class Provider {
 public:
  virtual ~Provider() = default;
  virtual ProviderAnswer provision(const Endpoint& endpoint, const ProvisionRequest& request) = 0;
  virtual ProviderAnswer change_plan(const Endpoint& endpoint, const std::string& uuid,
                                     const std::string& plan) = 0;
  virtual ProviderAnswer deprovision(const Endpoint& endpoint, const std::string& uuid) = 0;
  // Ends the calls that are under way, and those to come, with no answer.
  virtual void stop() {}
};

// What an answer comes to, whatever was asked.
enum class Outcome {
  done,       // 200, 201, 204
  later,      // 202
  refused,    // 4xx: it will not
  missing,    // 404: it knows nothing of that
  gone,       // 410: it was there, and is no more
  no_answer,  // nothing, 5xx, 408, 429, or not understood: ask again
};
Outcome outcome_of(const ProviderAnswer& answer);

// `limit`: of one call, from the first byte to the last.
std::unique_ptr<Provider> http_provider(std::chrono::milliseconds limit = std::chrono::seconds(25));

}  // namespace renga::addons
