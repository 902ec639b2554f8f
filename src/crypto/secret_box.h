// SecretBox: authenticated encryption at rest (libsodium's XChaCha20-Poly1305) with the one key of
// a data directory. What is sealed under one `context` ("config/<release id>") opens only under the
// same.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

namespace renga::crypto {

class SecretBox {
 public:
  // Reads the key file, or makes it (mode 0600, synced) when there is none. Throws when it cannot.
  explicit SecretBox(const std::filesystem::path& key_file);
  // With a key that lives only as long as the object: for tests.
  SecretBox();
  ~SecretBox();
  SecretBox(const SecretBox&) = delete;
  SecretBox& operator=(const SecretBox&) = delete;

  std::string seal(std::string_view plain, std::string_view context) const;
  // Throws std::runtime_error when the bytes were not sealed by this key under this context.
  std::string open(std::string_view sealed, std::string_view context) const;

 private:
  std::array<unsigned char, 32> key_;
};

}  // namespace renga::crypto
