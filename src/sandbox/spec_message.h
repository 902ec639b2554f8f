// A Spec as records, for its way to the spawner, and what is refused in one.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sandbox/spec.h"

namespace renga::sandbox {

// Messages to the spawner are no longer than this.
inline constexpr std::size_t longest_message = 1u << 20;

std::string pack(const Spec& spec);
// Kind::invalid for what cannot be a Spec, or is one that check() refuses.
Result<Spec> unpack(std::string_view message);
Result<void> check(const Spec& spec);

}  // namespace renga::sandbox
