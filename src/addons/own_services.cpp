#include "addons/own_services.h"

namespace renga::addons {
namespace {

constexpr std::string_view manifest = R"({
  "id": "scheduler",
  "name": "Scheduler",
  "api": {
    "config_vars": [],
    "regions": ["*"],
    "production": {"base_url": "http://localhost/", "sso_url": "http://localhost/"},
    "version": "3"
  },
  "plans": [{"name": "standard", "human_name": "Standard", "default": true,
             "description": "Jobs at set times, each in a one-off dyno"}]
})";

ProviderAnswer done(int status) {
  ProviderAnswer answer;
  answer.status = status;
  return answer;
}

class WithOwnServices final : public Provider {
 public:
  WithOwnServices(std::unique_ptr<Provider> others,
                  std::function<void(const std::string&)> scheduler_gone)
      : others_(std::move(others)), scheduler_gone_(std::move(scheduler_gone)) {}

  ProviderAnswer provision(const Endpoint& endpoint, const ProvisionRequest& request) override {
    if (endpoint.user != scheduler_service) return others_->provision(endpoint, request);
    auto answer = done(201);
    answer.id = request.uuid;
    answer.message = "Add jobs with `renga schedule:add`, or on the page of `renga addons:open`.";
    return answer;
  }
  ProviderAnswer change_plan(const Endpoint& endpoint, const std::string& uuid,
                             const std::string& plan) override {
    if (endpoint.user != scheduler_service) return others_->change_plan(endpoint, uuid, plan);
    return done(200);
  }
  ProviderAnswer deprovision(const Endpoint& endpoint, const std::string& uuid) override {
    if (endpoint.user != scheduler_service) return others_->deprovision(endpoint, uuid);
    scheduler_gone_(uuid);
    return done(200);
  }
  void stop() override { others_->stop(); }

 private:
  std::unique_ptr<Provider> others_;
  std::function<void(const std::string&)> scheduler_gone_;
};

}  // namespace

Manifest scheduler_manifest() { return Manifest::parse(manifest).value(); }

std::unique_ptr<Provider> with_own_services(
    std::unique_ptr<Provider> others, std::function<void(const std::string& uuid)> scheduler_gone) {
  return std::make_unique<WithOwnServices>(std::move(others), std::move(scheduler_gone));
}

}  // namespace renga::addons
