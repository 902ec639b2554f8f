#include "net/tls_tickets.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>

#include "base/random.h"

namespace renga::net {

namespace {
constexpr auto seals_for = std::chrono::hours(12);
}

TicketKeys::Key TicketKeys::fresh() {
  Key key;
  fill_random(key.name);
  fill_random(key.cipher);
  fill_random(key.mac);
  key.made = std::chrono::steady_clock::now();
  return key;
}

TicketKeys::TicketKeys() {
  auto keys = keys_.lock();
  keys->current = fresh();
  keys->previous = fresh();
}

// 1: take it, 2: take it and give the client a newer one, 0: no such key (a full handshake
// follows), -1: failed.
int TicketKeys::apply(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                      EVP_MAC_CTX* mac, bool seal) {
  Key key;
  bool old = false;
  {
    auto keys = keys_.lock();
    const auto age = std::chrono::steady_clock::now() - keys->current.made;
    if (age > seals_for) {
      // Nobody came for long: then the last one has had its time too.
      keys->previous = age > 2 * seals_for ? fresh() : keys->current;
      keys->current = fresh();
    }
    key = keys->current;
    if (!seal && std::memcmp(name, key.name.data(), key.name.size()) != 0) {
      key = keys->previous;
      old = true;
    }
  }
  if (seal) {
    std::copy(key.name.begin(), key.name.end(), name);
    if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1) return -1;
  } else if (std::memcmp(name, key.name.data(), key.name.size()) != 0) {
    return 0;
  }

  char digest[] = "SHA256";
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  if (EVP_MAC_CTX_set_params(mac, parameters) != 1) return -1;
  const int ready =
      seal ? EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv)
           : EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv);
  if (ready != 1) return -1;
  return old ? 2 : 1;
}

}  // namespace renga::net
