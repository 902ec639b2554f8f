#include "crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <stdexcept>

#include "base/text.h"

namespace renga::crypto {
namespace {

// OpenSSL's digests fail for want of memory, or when a policy of the host forbids SHA-256.
void must(int ok, const char* attempted) {
  if (ok != 1) throw std::runtime_error(std::string("OpenSSL could not ") + attempted);
}

// Fetched once: OpenSSL looks through its providers at each use of EVP_sha256(), which costs more
// than the digest of a token.
const EVP_MD* sha256_of_openssl() {
  static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  must(fetched != nullptr ? 1 : 0, "find SHA-256");
  return fetched;
}

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  bool finished = false;
  State() {
    if (!context) throw std::bad_alloc();
  }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  must(EVP_DigestInit_ex(state_->context, sha256_of_openssl(), nullptr), "start a SHA-256 digest");
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
  if (!state_ || state_->finished) throw std::logic_error("a digest is finished once, and last");
  must(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()), "extend a SHA-256 digest");
}

std::string Sha256::finish() {
  if (!state_ || state_->finished) throw std::logic_error("a digest is finished once, and last");
  std::array<unsigned char, 32> digest{};
  must(EVP_DigestFinal_ex(state_->context, digest.data(), nullptr), "finish a SHA-256 digest");
  state_->finished = true;
  return text::hex(digest);
}

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, 32> digest;
  must(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, sha256_of_openssl(), nullptr),
       "take a SHA-256");
  return text::hex(digest);
}

std::string sha1(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  must(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha1(), nullptr),
       "take a SHA-1");
  return text::hex({digest.data(), size});
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  std::string digest(32, '\0');
  unsigned size = 0;
  const auto* done = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                          reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                          reinterpret_cast<unsigned char*>(digest.data()), &size);
  must(done != nullptr && size == digest.size() ? 1 : 0, "sign with HMAC-SHA-256");
  return digest;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace renga::crypto
