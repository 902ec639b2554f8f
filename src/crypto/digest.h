// Digests and signatures of bytes. Pure functions; safe from any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace renga::crypto {

// SHA-256 as 64 lower-case hexadecimal digits.
std::string sha256(std::string_view bytes);
// SHA-1 as 40 of them. Broken, and only for protocols that have it.
std::string sha1(std::string_view bytes);

// The same for what does not fit in memory: update as often as needed, then finish once.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::string_view bytes);
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// HMAC-SHA-256 (RFC 2104): 32 bytes.
std::string hmac_sha256(std::string_view key, std::string_view bytes);

// Takes as long for a wrong guess as for a right one.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace renga::crypto
