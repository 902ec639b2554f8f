// The one map from why something was refused to what the wire says.
#pragma once

#include <string_view>

#include "base/result.h"

namespace renga::api {

struct ErrorName {
  int status = 500;
  std::string_view id;
};

ErrorName name_of(Kind kind);

}  // namespace renga::api
