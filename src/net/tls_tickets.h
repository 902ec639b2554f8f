// TicketKeys: what session tickets are sealed with. A key seals for twelve hours and opens for
// twelve more, so that what somebody records today cannot be read by whoever takes the machine
// tomorrow. Private to net/; safe from any thread.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <chrono>

#include "base/locked.h"

namespace renga::net {

class TicketKeys {
 public:
  TicketKeys();
  // What SSL_CTX_set_tlsext_ticket_key_evp_cb(3) asks.
  int apply(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
            bool seal);

 private:
  struct Key {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> cipher{};
    std::array<unsigned char, 32> mac{};
    std::chrono::steady_clock::time_point made;
  };
  struct Keys {
    Key current, previous;
  };
  static Key fresh();
  Locked<Keys> keys_;
};

}  // namespace renga::net
