// Small lists: those that are shown whole and in an order of their own (dynos, sizes, stacks),
// unless a Range asks for another. They are ordered by members of what is shown.
#pragma once

#include <initializer_list>
#include <string_view>

#include "api/call.h"

namespace renga::api {

// `members`: what a Range may name, the default first.
Answer small_list(const Call& call, json::array elements,
                  std::initializer_list<std::string_view> members);

}  // namespace renga::api
