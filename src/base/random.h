// Random bytes from the kernel (getrandom(2)), good enough for secrets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace renga {

// Throws std::system_error if the kernel refuses, which it does not after boot.
void fill_random(std::span<unsigned char> bytes);

// `bytes` random bytes as lower-case hexadecimal, twice as many characters.
std::string random_hex(std::size_t bytes);

// Uniform in [0, bound); bound must be positive.
std::uint64_t random_below(std::uint64_t bound);

}  // namespace renga
