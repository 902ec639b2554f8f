// A provider that answers what it is told to, and keeps its own books of what it has, so that they
// can be held against the platform's. For one thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "addons/provider.h"

namespace renga::addons {

class FakeProvider final : public Provider {
 public:
  ProviderAnswer provision(const Endpoint&, const ProvisionRequest& request) override {
    calls.push_back("POST " + request.plan);
    last = request;
    if (auto scripted = next()) {
      if (scripted->status / 100 == 2 || kept_despite_answer)
        resources[request.uuid] = request.plan;
      return *scripted;
    }
    resources[request.uuid] = request.plan;
    afterwards();
    return {.status = 201,
            .problem = {},
            .id = "their-" + request.uuid,
            .config = config,
            .message = "ready"};
  }
  ProviderAnswer change_plan(const Endpoint&, const std::string& uuid,
                             const std::string& plan) override {
    calls.push_back("PUT " + plan);
    if (auto scripted = next()) return *scripted;
    resources[uuid] = plan;
    afterwards();
    return {.status = 200, .problem = {}, .id = {}, .config = {}, .message = "changed"};
  }
  ProviderAnswer deprovision(const Endpoint&, const std::string& uuid) override {
    calls.push_back("DELETE");
    if (auto scripted = next()) return *scripted;
    const auto had = resources.erase(uuid);
    afterwards();
    return {.status = had > 0 ? 204 : 410, .problem = {}, .id = {}, .config = {}, .message = {}};
  }

  void answers(int status, std::string message = {}) {
    ProviderAnswer answer;
    answer.status = status;
    answer.message = std::move(message);
    if (status / 100 == 2) answer.id = "their-id";
    if (status == 0) answer.problem = "no answer";
    script.push_back(answer);
  }

  std::deque<ProviderAnswer> script;  // empty: all is well
  bool kept_despite_answer = false;   // it made the thing, and its answer was lost
  std::map<std::string, std::string> config = {{"HEROKU_TANK_URL", "tank://one"}};
  std::map<std::string, std::string> resources;  // uuid to plan
  std::vector<std::string> calls;
  ProvisionRequest last;
  std::function<void()> meanwhile = [] {};  // runs before it does anything
  std::function<void()> afterwards = [] {
  };  // runs when it did what it was asked, before its answer

 private:
  std::optional<ProviderAnswer> next() {
    const auto now = meanwhile;  // it may put another in its place
    now();
    if (script.empty()) return std::nullopt;
    auto answer = script.front();
    script.pop_front();
    return answer;
  }
};

}  // namespace renga::addons
