// A receiver that answers what it is told to, and keeps what it got. For one thread.
#pragma once

#include <deque>
#include <vector>

#include "webhooks/sender.h"

namespace renga::webhooks {

class FakeSender final : public Sender {
 public:
  Outcome send(const Post& post) override {
    posts.push_back(post);
    if (script.empty()) return {200, {}};
    auto outcome = script.front();
    script.pop_front();
    return outcome;
  }

  std::vector<Post> posts;
  std::deque<Outcome> script;  // empty: all is taken
};

}  // namespace renga::webhooks
