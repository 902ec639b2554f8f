// The change from one table to another, as control would make it.
#pragma once

#include "router/told_routes.h"

namespace renga::router::testing {

inline TableChange change_between(const RouteTable& was, const RouteTable& is) {
  ToldRoutes routes;
  routes.take(was);
  routes.whole(was.generation);
  routes.take(is);
  return routes.change(was.generation, is.generation);
}

}  // namespace renga::router::testing
