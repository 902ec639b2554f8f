// heroku-kafka: the provider program's parts.
#pragma once

#include "provider/provider.h"

namespace renga::kafka {

const provider::Program& program();

}  // namespace renga::kafka
