// empty_lists.cpp's handlers of what add-ons have none of here, as handlers.h has the others.
#pragma once

#include "api/call.h"

namespace renga::api {

Result<Answer> no_things_of_addon(Call& call);
Result<Answer> no_such_thing_of_addon(Call& call);
Result<Answer> not_offered_of_addon(Call& call);

}  // namespace renga::api
