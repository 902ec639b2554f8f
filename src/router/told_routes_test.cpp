// What control says of its routes, and that it says everything once.
#include "router/told_routes.h"

#include <gmock/gmock.h>

namespace renga::router {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Route route(const std::string& name, const std::vector<std::string>& dynos) {
  Route made;
  made.app = "app-" + name;
  made.name = name;
  for (const auto& dyno : dynos) made.backends.push_back({dyno, "web.1", "10.0.0.1", 5000});
  return made;
}

class ToldRoutesTest : public ::testing::Test {
 protected:
  ToldRoutesTest() {
    table.routes = {route("shop", {"dyno-1"}), route("blog", {"dyno-2"})};
    table.hosts = {{"shop.test", 0}, {"www.shop.test", 0}, {"blog.test", 1}};
    EXPECT_TRUE(routes.take(table));
    routes.whole(1);
  }
  static std::vector<std::string> names(const TableChange& change) {
    std::vector<std::string> all;
    for (const auto& app : change.apps) all.push_back(app.route.name);
    return all;
  }
  RouteTable table;
  ToldRoutes routes;
};

TEST_F(ToldRoutesTest, WhatIsTheSameIsNotTold) {
  EXPECT_FALSE(routes.take(table));
  EXPECT_FALSE(routes.take({{table.routes[0], {"www.shop.test", "shop.test"}}}, {}));
  EXPECT_THAT(routes.change(1, 2).apps, IsEmpty());
}

TEST_F(ToldRoutesTest, AnAppThatIsTakenAloneLeavesTheOthers) {
  const auto replaced = route("shop", {"dyno-3"});
  EXPECT_TRUE(routes.take({{replaced, {"shop.test"}}}, {"app-never-there"}));
  const auto change = routes.change(1, 2);
  EXPECT_EQ(change.from, 1U);
  EXPECT_EQ(change.generation, 2U);
  ASSERT_EQ(change.apps.size(), 1U);
  EXPECT_EQ(change.apps[0].route, replaced);
  EXPECT_THAT(change.apps[0].hosts, ElementsAre("shop.test"));
  EXPECT_THAT(change.gone, IsEmpty());
  EXPECT_THAT(change.retiring, ElementsAre("dyno-1"));

  const auto whole = routes.whole(3);
  EXPECT_EQ(whole.routes.size(), 2U);
  EXPECT_EQ(whole.hosts.size(), 2U);
  EXPECT_EQ(whole.routes.at(whole.hosts.at("blog.test")).name, "blog");
  EXPECT_EQ(whole.routes.at(whole.hosts.at("shop.test")), replaced);
}

TEST_F(ToldRoutesTest, WhatComesWhileAChangeIsUnderWayIsTheNextOne) {
  routes.take({{route("shop", {}), {}}}, {});
  routes.change(1, 2);
  routes.take({{route("shop", {"dyno-4"}), {}}}, {});
  EXPECT_TRUE(routes.take({}, {"app-blog"}));
  const auto change = routes.change(2, 3);
  EXPECT_THAT(names(change), ElementsAre("shop"));
  EXPECT_THAT(change.gone, ElementsAre("app-blog"));
  EXPECT_THAT(routes.change(3, 4).gone, IsEmpty());
}

TEST_F(ToldRoutesTest, ADynoIsAwaitedUntilTheRouterHasLetGoOfIt) {
  routes.take({}, {"app-blog"});
  EXPECT_THAT(routes.change(1, 2).retiring, ElementsAre("dyno-2"));
  EXPECT_TRUE(routes.retired("dyno-2"));
  EXPECT_THAT(routes.change(2, 3).retiring, IsEmpty());
  EXPECT_FALSE(routes.retired("dyno-1")) << "it is named, whatever the router had heard of before";
}

TEST_F(ToldRoutesTest, ADynoThatIsAskedForIsAwaitedUnlessItIsNamed) {
  table.retiring = {"dyno-0", "dyno-1"};
  EXPECT_TRUE(routes.take(table));
  EXPECT_THAT(routes.change(1, 2).retiring, ElementsAre("dyno-0"));
}

TEST_F(ToldRoutesTest, HostsAndDynosGoFromOneAppToAnother) {
  table.hosts = {{"shop.test", 1}, {"blog.test", 0}};
  std::swap(table.routes[0].backends, table.routes[1].backends);
  EXPECT_TRUE(routes.take(table));
  const auto change = routes.change(1, 2);
  EXPECT_THAT(names(change), ElementsAre("blog", "shop"));
  EXPECT_THAT(change.apps[0].hosts, ElementsAre("shop.test"));
  EXPECT_THAT(change.retiring, IsEmpty());
}

}  // namespace
}  // namespace renga::router
