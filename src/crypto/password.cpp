#include "crypto/password.h"

#include <sodium.h>

#include <stdexcept>

namespace renga::crypto {

std::string hash_password(std::string_view password) {
  if (sodium_init() < 0) throw std::runtime_error("libsodium could not be started");
  std::string hash(crypto_pwhash_STRBYTES, '\0');
  if (crypto_pwhash_str_alg(hash.data(), password.data(), password.size(),
                            crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE,
                            crypto_pwhash_ALG_ARGON2ID13) != 0)
    throw std::runtime_error("a password could not be hashed: 64 MiB of memory were not there");
  hash.resize(hash.find('\0'));
  return hash;
}

bool password_matches(std::string_view password, const std::string& hash) {
  if (sodium_init() < 0) throw std::runtime_error("libsodium could not be started");
  return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

}  // namespace renga::crypto
