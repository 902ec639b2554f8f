#include "router/table.h"

#include <gmock/gmock.h>

#include "router/route_index.h"

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
  const RouteIndex index(table, nullptr);
  EXPECT_EQ(found(index, "www.example.com"), "exact");
  EXPECT_EQ(found(index, "shop.example.com"), "wild");
}

TEST_F(RouteIndexTest, TakesTheLongestWildcard) {
  const RouteIndex index(table, nullptr);
  EXPECT_EQ(found(index, "shop.eu.example.com"), "deep");
  EXPECT_EQ(found(index, "a.shop.us.example.com"), "wild");
}

TEST_F(RouteIndexTest, AWildcardNeedsSomethingInItsPlace) {
  const RouteIndex index(table, nullptr);
  EXPECT_EQ(found(index, "example.com"), "-");
  EXPECT_EQ(found(index, ".example.com"), "-");
}

TEST_F(RouteIndexTest, HostsCompareWithoutCasePortOrFinalDot) {
  const RouteIndex index(table, nullptr);
  EXPECT_EQ(found(index, "WWW.Example.COM"), "exact");
  EXPECT_EQ(found(index, "www.example.com:8080"), "exact");
  EXPECT_EQ(found(index, "www.example.com."), "exact");
  EXPECT_EQ(found(index, "www.example.com.:80"), "exact");
}

TEST_F(RouteIndexTest, UnknownAndImpossibleHostsAreNotFound) {
  const RouteIndex index(table, nullptr);
  EXPECT_EQ(found(index, ""), "-");
  EXPECT_EQ(found(index, "."), "-");
  EXPECT_EQ(found(index, "[::1]:80"), "-");
  EXPECT_EQ(found(index, "*.example.org"), "-");
  EXPECT_EQ(found(index, std::string(300, 'a') + ".example.com"), "-");
}

TEST_F(RouteIndexTest, StateIsCarriedOverToTheNextTable) {
  table.routes[0].backends = {{"dyno-1", "web.1", "10.0.0.2", 5000}};
  const RouteIndex before(table, nullptr);
  table.routes[0].maintenance = true;
  table.routes[0].backends.push_back({"dyno-2", "web.2", "10.0.0.3", 5000});
  const RouteIndex after(table, &before);
  const auto& old_app = **before.find("www.example.com");
  const auto& new_app = **after.find("www.example.com");
  EXPECT_EQ(old_app.load, new_app.load);
  EXPECT_EQ(old_app.dynos[0].state, new_app.dynos[0].state);
  EXPECT_NE(new_app.dynos[1].state, new_app.dynos[0].state);
  EXPECT_EQ(*before.find("a.example.com"), *after.find("a.example.com")) << "unchanged, so shared";
}

}  // namespace
}  // namespace renga::router
