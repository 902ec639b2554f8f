// ToldRoutes: control's copy of the route table, by app; what of it the router has not been told
// yet; and which dynos it is to let go of. What is taken costs what it is, not what there is.
// Belongs to the link's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "router/table.h"

namespace renga::router {

class ToldRoutes {
 public:
  // All that there is. False: it is what was there before, and nobody asks for a dyno either.
  bool take(RouteTable table);
  // These are as here now, and those are no more; all others stay as they were. The same.
  bool take(std::vector<AppRoute> apps, const std::vector<std::string>& gone);

  // What the router is told, once: all, or what is different since it was told last.
  RouteTable whole(std::uint64_t generation);
  TableChange change(std::uint64_t from, std::uint64_t generation);

  // The router has let go of it. False: the routes name it again.
  bool retired(const std::string& dyno);

 private:
  void unname(const Route& route);
  void take_out(const std::string& app);

  std::map<std::string, AppRoute> apps_;  // by UUID
  std::map<std::string, std::string> challenges_;
  std::set<std::string> untold_;   // apps that the router knows otherwise, or not
  std::set<std::string> named_;    // dynos in them
  std::set<std::string> awaited_;  // not in them any more, and not known to be retired
};

}  // namespace renga::router
