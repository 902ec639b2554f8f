#include "router/outbox.h"

#include <utility>

#include "router/client_connection.h"

namespace renga::router {

void Outbox::put(ClientConnection& client, std::string_view head, std::string_view body) {
  client.outbox_place = messages_.size();
  messages_.push_back({&client, bytes_.size(), head.size() + body.size()});
  bytes_.append(head).append(body);
}

std::string_view Outbox::take(ClientConnection& client) {
  auto& message = messages_[std::exchange(client.outbox_place, ClientConnection::nowhere)];
  message.client = nullptr;
  return {bytes_.data() + message.begin, message.size};
}

void Outbox::send() {
  // Whoever is sent to may put in more.
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    if (auto* client = messages_[i].client; client != nullptr) client->send_from_outbox();
  }
  messages_.clear();
  bytes_.clear();
}

}  // namespace renga::router
