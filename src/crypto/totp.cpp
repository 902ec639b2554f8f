#include "crypto/totp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <stdexcept>

#include "base/random.h"

namespace renga::crypto {

std::string totp_secret() {
  std::array<unsigned char, 20> bytes{};
  fill_random(bytes);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string base32(std::string_view bytes) {
  static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string written;
  std::uint32_t held = 0;
  int bits = 0;
  for (const char byte : bytes) {
    held = held << 8 | static_cast<unsigned char>(byte);
    for (bits += 8; bits >= 5; bits -= 5) written += alphabet[held >> (bits - 5) & 31];
  }
  if (bits > 0) written += alphabet[held << (5 - bits) & 31];
  return written;
}

std::int64_t totp_step(Time now) {
  return std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count() / 30;
}

std::string totp_code(std::string_view secret, std::int64_t step) {
  std::array<unsigned char, 8> message{};
  for (std::size_t i = 0; i < 8; ++i)
    message[7 - i] = static_cast<unsigned char>(static_cast<std::uint64_t>(step) >> (8 * i));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (HMAC(EVP_sha1(), secret.data(), static_cast<int>(secret.size()), message.data(),
           message.size(), digest.data(), &size) == nullptr ||
      size != 20)
    throw std::runtime_error("OpenSSL could not make an HMAC with SHA-1");

  // RFC 4226, section 5.3: the last four bits say which four bytes count.
  const std::size_t at = digest[19] & 15U;
  const std::uint32_t number = (digest[at] & 0x7FU) << 24 | std::uint32_t{digest[at + 1]} << 16 |
                               std::uint32_t{digest[at + 2]} << 8 | digest[at + 3];
  auto code = std::to_string(number % 1'000'000);
  return std::string(6 - code.size(), '0') + code;
}

}  // namespace renga::crypto
