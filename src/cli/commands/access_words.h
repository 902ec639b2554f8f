// What access:add and access:update read alike.
#pragma once

#include <boost/json.hpp>

#include "base/text.h"
#include "cli/command.h"

namespace renga::cli {

inline constexpr Flag permissions_flag{"permissions", 'p', "LIST",
                                       "view,deploy,operate,manage: those of them that are given"};

inline boost::json::array permissions_of(const Context& context) {
  boost::json::array permissions;
  const auto list = context.flag("permissions");
  for (const auto word : text::split(list, ','))
    if (!text::trim(word).empty()) permissions.emplace_back(text::trim(word));
  return permissions;
}

}  // namespace renga::cli
