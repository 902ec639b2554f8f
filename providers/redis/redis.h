// heroku-redis: the provider program's parts.
#pragma once

#include "provider/provider.h"

namespace renga::redis {

const provider::Program& program();

}  // namespace renga::redis
