// heroku-postgresql: the provider program's parts.
#pragma once

#include "provider/provider.h"

namespace renga::postgresql {

const provider::Program& program();

}  // namespace renga::postgresql
