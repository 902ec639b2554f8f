// Webhook news: what calls to the API, and what happens by itself, become for webhooks. An answer
// that says what was made, changed or destroyed is the news of it, and is written down before the
// caller has it; releases, builds and dynos tell of themselves, whoever caused them.
#pragma once

#include <optional>
#include <vector>

#include "api/call.h"
#include "api/routes.h"

namespace renga::api {

class WebhookNews {
 public:
  // Before the handler is called: who hears of it, while all of it is still there.
  WebhookNews(Call& call, const RouteRow& row);
  // It was done.
  void publish(Call& call, const Answer& answer);

 private:
  struct Kind {
    std::string_view entity;
    std::string_view action;
  };
  void publish(Call& call, const json::object& thing);

  std::optional<Kind> kind_;
  std::vector<webhooks::Owner> owners_;
};

// Of what happens by itself. None throws: who tells of it goes on.
void publish_release(const Services& services, Parts& parts, const releases::Release& release);
void publish_build(const Services& services, Parts& parts, const builds::Build& build);
void publish_dyno(const Services& services, Parts& parts, const dynos::Dyno& dyno);

}  // namespace renga::api
