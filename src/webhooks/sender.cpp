#include "webhooks/sender.h"

#include <atomic>

#include "http/client.h"

namespace renga::webhooks {
namespace {

class HttpSender final : public Sender {
 public:
  explicit HttpSender(SenderOptions options) : options_(std::move(options)) {}

  Outcome send(const Post& post) override {
    http::ClientRequest request;
    request.method = "POST";
    request.url = post.url;
    request.timeout = options_.limit;
    request.ca_file = options_.ca_file;
    request.stop = &stopping_;
    request.reach = http::Reach::public_addresses;
    request.destinations = &options_.destinations;
    request.headers.add("Content-Type", "application/json");
    request.headers.add("User-Agent", "renga-webhooks");
    request.headers.add("Heroku-Webhook-Hmac-SHA256", post.signature);
    if (post.authorization) request.headers.add("Authorization", *post.authorization);
    request.body = post.body;
    request.on_body = [](std::string_view) { return false; };  // the status is all there is to know
    http::Client client;
    const auto answer = client.send(request);
    if (answer) return {answer->status, {}};
    if (answer.error().kind == Kind::forbidden)
      return {std::nullopt, "its address is in this machine's network, which is not allowed"};
    return {std::nullopt, answer.error().message};
  }

  void stop() override { stopping_ = true; }

 private:
  const SenderOptions options_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace

std::unique_ptr<Sender> http_sender(SenderOptions options) {
  return std::make_unique<HttpSender>(std::move(options));
}

}  // namespace renga::webhooks
