// Outbox: small messages that wait until all who have events at the same time have had their turn,
// to be sent then one behind the other. Reading heads takes more of the processor's first cache
// than it has room for besides the kernel's way through TCP; so it is better to do some of the
// former and then some of the latter than to go to and fro. Belongs to its loop's thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace renga::router {

class ClientConnection;

class Outbox {
 public:
  // An answer of more bytes is sent at once: it would only be copied.
  static constexpr std::size_t largest = 2048;

  // A client has one message in here at most: its request, which is in its hands, or an answer.
  void put_request(ClientConnection& client) { put(client, {}, {}); }
  void put_answer(ClientConnection& client, std::string_view head, std::string_view body) {
    put(client, head, body);
  }
  // The answer, good until the next is put in; empty: a request.
  std::string_view take(ClientConnection& client);
  // Calls send_from_outbox() of each.
  void send();

 private:
  void put(ClientConnection& client, std::string_view head, std::string_view body);

  struct Message {
    ClientConnection* client;  // none: it was taken
    std::size_t begin, size;   // in bytes_
  };
  std::vector<Message> messages_;
  std::string bytes_;
};

}  // namespace renga::router
