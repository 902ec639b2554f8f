// Sender: the seam to the receivers of webhooks: one POST. The real one speaks HTTP and reaches the
// public internet, and what the administrator allows besides; tests have their own. Calls block for
// up to the limit and are safe from any thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "net/destinations.h"

namespace renga::webhooks {

struct Post {
  std::string url;
  std::string body;
  std::string signature;  // Heroku-Webhook-Hmac-SHA256
  std::optional<std::string> authorization;
};

struct Outcome {
  std::optional<int> code;  // of the answer
  std::string error;        // why there was none
};

class Sender {
 public:
  virtual ~Sender() = default;
  virtual Outcome send(const Post& post) = 0;
  // Ends the calls that are under way, and those to come.
  virtual void stop() {}
};

struct SenderOptions {
  net::Destinations destinations;
  std::string ca_file;  // PEM to trust; empty: the system's
  std::chrono::milliseconds limit{10'000};
};
std::unique_ptr<Sender> http_sender(SenderOptions options);

}  // namespace renga::webhooks
