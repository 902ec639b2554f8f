#include "crypto/secret_box.h"

#include <sodium.h>

#include <stdexcept>

#include "base/random.h"
#include "crypto/private_file.h"

namespace renga::crypto {
namespace {

// A sealed text is: this byte, the nonce, the encrypted bytes with their tag. The byte leaves room
// for another algorithm later; it is authenticated with the context.
constexpr char format = 1;
constexpr std::size_t nonce_size = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_size = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == 32);

void start_sodium() {
  if (sodium_init() < 0) throw std::runtime_error("libsodium could not be started");
}

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* octets(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string bound_to(std::string_view context) { return format + std::string(context); }

}  // namespace

SecretBox::SecretBox(const std::filesystem::path& key_file) {
  start_sodium();
  auto bytes = read_file(key_file);
  if (!bytes) {
    std::string fresh(key_.size(), '\0');
    fill_random({octets(fresh), fresh.size()});
    create_file(key_file, fresh, 0600);
    sodium_memzero(fresh.data(), fresh.size());
    // Read again, since another process may have been first.
    bytes = read_file(key_file);
  }
  if (!bytes || bytes->size() != key_.size())
    throw std::runtime_error(
        key_file.string() + " is not a key of " + std::to_string(key_.size()) +
        " bytes. Put the key back from a backup of the data directory: without "
        "it config vars cannot be read.");
  std::copy(bytes->begin(), bytes->end(), key_.begin());
  sodium_memzero(bytes->data(), bytes->size());
}

SecretBox::SecretBox() {
  start_sodium();
  fill_random(key_);
}

SecretBox::~SecretBox() { sodium_memzero(key_.data(), key_.size()); }

std::string SecretBox::seal(std::string_view plain, std::string_view context) const {
  std::string sealed(1 + nonce_size + plain.size() + tag_size, '\0');
  sealed[0] = format;
  // 192 random bits never repeat in practice, so no counter has to survive a crash.
  auto* nonce = octets(sealed) + 1;
  fill_random({nonce, nonce_size});
  const auto bound = bound_to(context);
  crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + nonce_size, nullptr, octets(plain),
                                             plain.size(), octets(bound), bound.size(), nullptr,
                                             nonce, key_.data());
  return sealed;
}

std::string SecretBox::open(std::string_view sealed, std::string_view context) const {
  const auto refuse = [&]() -> std::runtime_error {
    return std::runtime_error("a secret of " + std::string(context) +
                              " was not sealed with this data directory's key, or was altered");
  };
  if (sealed.size() < 1 + nonce_size + tag_size || sealed[0] != format) throw refuse();

  const auto nonce = sealed.substr(1, nonce_size);
  const auto body = sealed.substr(1 + nonce_size);
  const auto bound = bound_to(context);
  std::string plain(body.size() - tag_size, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(octets(plain), nullptr, nullptr, octets(body),
                                                 body.size(), octets(bound), bound.size(),
                                                 octets(nonce), key_.data()) != 0)
    throw refuse();
  return plain;
}

}  // namespace renga::crypto
