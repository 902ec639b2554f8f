#include "router/table.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <random>

#include "router/route_index.h"
#include "router/testing/changes.h"

namespace renga::router {
namespace {

Route route(std::string name) {
  Route made;
  made.app = "app-" + name;
  made.name = std::move(name);
  made.web_quantity = 1;
  return made;
}

std::string found(const RouteIndex& index, std::string_view host) {
  const auto* app = index.find(host);
  return app == nullptr ? "-" : (*app)->route.name;
}

RouteIndex index_of(RouteTable table, const RouteIndex& before = RouteIndex()) {
  TableDifference difference;
  return RouteIndex(std::move(table), before, difference);
}

// As control and router do it: through JSON.
RouteIndex changed(const RouteIndex& before, const RouteTable& was, const RouteTable& is,
                   TableDifference& difference) {
  const auto change = testing::change_between(was, is);
  return RouteIndex(*parse_change(to_json(change)), before, difference);
}

class RouteIndexTest : public ::testing::Test {
 protected:
  RouteIndexTest() {
    table.routes = {route("exact"), route("wild"), route("deep")};
    table.hosts = {{"www.example.com", 0}, {"*.example.com", 1}, {"*.eu.example.com", 2}};
  }
  RouteTable table;
};

TEST(RouteTable, SurvivesItsJson) {
  RouteTable table;
  table.generation = 7;
  auto shop = route("shop");
  shop.backends = {{"dyno-1", "web.1", "10.0.0.2", 5000}};
  shop.starting = true;
  shop.error_page_url = "https://example.com/\"quoted\"";
  table.routes = {shop, route("blog")};
  table.hosts = {{"shop.test", 0}, {"*.blog.test", 1}};
  table.retiring = {"dyno-0"};
  const auto back = parse_table(to_json(table));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->generation, 7U);
  EXPECT_EQ(back->routes, table.routes);
  EXPECT_EQ(back->hosts, table.hosts);
  EXPECT_EQ(back->retiring, table.retiring);
}

TEST(RouteTable, RefusesWhatIsNoTable) {
  for (const auto* text :
       {"", "[]", "{}", "{\"generation\":-1}", "{\"generation\":1,\"routes\":3}"}) {
    EXPECT_FALSE(parse_table(text)) << text;
  }
  RouteTable table;
  table.hosts = {{"shop.test", 0}};
  EXPECT_FALSE(parse_table(to_json(table)));
  table.routes = {route("shop")};
  EXPECT_TRUE(parse_table(to_json(table)));
  table.routes[0].backends = {{"dyno-1", "web.1", "localhost", 80}};
  EXPECT_FALSE(parse_table(to_json(table)));
}

TEST_F(RouteIndexTest, FindsTheExactNameBeforeAnyWildcard) {
  const auto index = index_of(table);
  EXPECT_EQ(found(index, "www.example.com"), "exact");
  EXPECT_EQ(found(index, "shop.example.com"), "wild");
}

TEST_F(RouteIndexTest, TakesTheLongestWildcard) {
  const auto index = index_of(table);
  EXPECT_EQ(found(index, "shop.eu.example.com"), "deep");
  EXPECT_EQ(found(index, "a.shop.us.example.com"), "wild");
}

TEST_F(RouteIndexTest, AWildcardNeedsSomethingInItsPlace) {
  const auto index = index_of(table);
  EXPECT_EQ(found(index, "example.com"), "-");
  EXPECT_EQ(found(index, ".example.com"), "-");
}

TEST_F(RouteIndexTest, HostsCompareWithoutCasePortOrFinalDot) {
  const auto index = index_of(table);
  EXPECT_EQ(found(index, "WWW.Example.COM"), "exact");
  EXPECT_EQ(found(index, "www.example.com:8080"), "exact");
  EXPECT_EQ(found(index, "www.example.com."), "exact");
  EXPECT_EQ(found(index, "www.example.com.:80"), "exact");
}

TEST_F(RouteIndexTest, UnknownAndImpossibleHostsAreNotFound) {
  const auto index = index_of(table);
  EXPECT_EQ(found(index, ""), "-");
  EXPECT_EQ(found(index, "."), "-");
  EXPECT_EQ(found(index, "[::1]:80"), "-");
  EXPECT_EQ(found(index, "*.example.org"), "-");
  EXPECT_EQ(found(index, std::string(300, 'a') + ".example.com"), "-");
}

TEST_F(RouteIndexTest, StateIsCarriedOverToTheNextTable) {
  table.routes[0].backends = {{"dyno-1", "web.1", "10.0.0.2", 5000}};
  const auto before = index_of(table);
  table.routes[0].maintenance = true;
  table.routes[0].backends.push_back({"dyno-2", "web.2", "10.0.0.3", 5000});
  const auto after = index_of(table, before);
  const auto& old_app = **before.find("www.example.com");
  const auto& new_app = **after.find("www.example.com");
  EXPECT_EQ(old_app.load, new_app.load);
  EXPECT_EQ(old_app.dynos[0].state, new_app.dynos[0].state);
  EXPECT_NE(new_app.dynos[1].state, new_app.dynos[0].state);
  EXPECT_EQ(*before.find("a.example.com"), *after.find("a.example.com")) << "unchanged, so shared";
}

TEST(TableChange, IsRefusedWhenItIsNone) {
  for (const auto* text : {"", "[]", "{}", "{\"from\":1,\"generation\":2,\"apps\":3}"}) {
    EXPECT_FALSE(parse_change(text)) << text;
  }
  TableChange change;
  change.apps = {{route("shop"), {"shop.test"}}};
  EXPECT_TRUE(parse_change(to_json(change)));
  change.gone = {"app-shop"};
  EXPECT_FALSE(parse_change(to_json(change))) << "it is named twice";
  change.gone = {};
  change.apps[0].route.backends = {{"dyno-1", "web.1", "localhost", 80}};
  EXPECT_FALSE(parse_change(to_json(change)));
}

TEST_F(RouteIndexTest, AChangeSharesWhatItDoesNotName) {
  table.routes[0].backends = {{"dyno-1", "web.1", "10.0.0.2", 5000}};
  const auto before = index_of(table);
  auto next = table;
  next.routes[0].maintenance = true;
  next.routes[0].backends = {{"dyno-2", "web.1", "10.0.0.3", 5000}};
  TableDifference difference;
  const auto after = changed(before, table, next, difference);
  EXPECT_EQ(*before.find("a.example.com"), *after.find("a.example.com"));
  EXPECT_TRUE((*after.find("www.example.com"))->route.maintenance);
  EXPECT_FALSE((*before.find("www.example.com"))->route.maintenance);
  EXPECT_EQ((*before.find_app("app-exact"))->load, (*after.find_app("app-exact"))->load);
  ASSERT_EQ(difference.was.size(), 1U);
  ASSERT_EQ(difference.is.size(), 1U);
  ASSERT_EQ(difference.left.size(), 1U);
  EXPECT_EQ(difference.left[0]->dyno, "dyno-1");
  EXPECT_TRUE(before.names_dyno("dyno-1") && !after.names_dyno("dyno-1"));
  EXPECT_TRUE(after.names_dyno("dyno-2"));
}

TEST_F(RouteIndexTest, AHostGoesFromOneAppToAnother) {
  const auto before = index_of(table);
  auto next = table;
  next.hosts["www.example.com"] = 2;
  TableDifference difference;
  const auto after = changed(before, table, next, difference);
  EXPECT_EQ(found(before, "www.example.com"), "exact");
  EXPECT_EQ(found(after, "www.example.com"), "deep");
  EXPECT_EQ(found(after, "a.eu.example.com"), "deep");
  EXPECT_EQ(difference.is.size(), 2U);
}

TEST_F(RouteIndexTest, AppsComeAndGo) {
  const auto before = index_of(table);
  auto next = table;
  next.routes = {route("deep"), route("new")};
  next.hosts = {{"*.eu.example.com", 0}, {"new.test", 1}};
  TableDifference difference;
  const auto after = changed(before, table, next, difference);
  EXPECT_EQ(found(after, "www.example.com"), "-");
  EXPECT_EQ(found(after, "new.test"), "new");
  EXPECT_EQ(*before.find_app("app-deep"), *after.find_app("app-deep"));
  EXPECT_EQ(after.find_app("app-wild"), nullptr);
  EXPECT_EQ(difference.was.size(), 2U);
}

// Whatever is changed in whatever order, a router that hears of changes has what one that is told
// all has.
TEST(TableChange, ManyChangesMakeTheTable) {
  std::mt19937 random(20261128);
  const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
  RouteTable was;
  auto index = std::make_unique<RouteIndex>();
  for (std::uint64_t generation = 1; generation <= 200; ++generation) {
    RouteTable is;
    is.generation = generation;
    for (std::size_t app = 0; app < 30; ++app) {
      if (below(4) == 0) continue;
      is.routes.push_back(route(std::to_string(app)));
      is.routes.back().maintenance = below(8) == 0;
      for (std::size_t dyno = below(3); dyno > 0; --dyno) {
        is.routes.back().backends.push_back(
            {std::to_string(app) + "-" + std::to_string(dyno), "web.1", "10.0.0.1", 5000});
      }
    }
    if (is.routes.empty()) continue;
    for (std::size_t host = 0; host < 40; ++host) {
      if (below(3) > 0) is.hosts["host-" + std::to_string(host)] = below(is.routes.size());
    }
    TableDifference difference;
    index = std::make_unique<RouteIndex>(changed(*index, was, is, difference));
    for (std::size_t host = 0; host < 40; ++host) {
      const auto name = "host-" + std::to_string(host);
      const auto wanted = is.hosts.find(name);
      ASSERT_EQ(found(*index, name),
                wanted == is.hosts.end() ? "-" : is.routes[wanted->second].name);
    }
    for (std::size_t app = 0; app < 30; ++app) {
      const auto* there = index->find_app("app-" + std::to_string(app));
      const auto wanted = std::find_if(is.routes.begin(), is.routes.end(), [&](const Route& one) {
        return one.name == std::to_string(app);
      });
      ASSERT_EQ(there == nullptr, wanted == is.routes.end());
      if (there != nullptr) {
        ASSERT_EQ((*there)->route, *wanted);
      }
      for (std::size_t dyno = 1; dyno < 3; ++dyno) {
        const auto id = std::to_string(app) + "-" + std::to_string(dyno);
        const bool named =
            there != nullptr && std::any_of(wanted->backends.begin(), wanted->backends.end(),
                                            [&](const Backend& one) { return one.dyno == id; });
        ASSERT_EQ(index->names_dyno(id), named);
      }
    }
    was = std::move(is);
  }
}

}  // namespace
}  // namespace renga::router
