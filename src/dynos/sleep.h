// Sleep: what an engine has beside Engine where its apps can sleep. Safe from any thread; quick.
#pragma once

#include <string_view>

#include "apps/app.h"

namespace renga::dynos {

// Whether dynos of this size sleep when nobody asks for their app: Eco alone, as at Heroku.
bool size_sleeps(std::string_view size);

class Sleep {
 public:
  virtual ~Sleep() = default;
  // Asleep, or about to be: whoever has a request for it calls wake(). A change is a change of the
  // app's endpoints.
  virtual bool idle(const Id<apps::App>& app) = 0;
  // Somebody asks for it. No-op when it is awake.
  virtual void wake(const Id<apps::App>& app) = 0;
  // A request was answered: it stays awake for another while. Called for each.
  virtual void requested(const Id<apps::App>& app) = 0;
};

}  // namespace renga::dynos
