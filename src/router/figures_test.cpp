// What is counted, and how it reads.
#include "router/figures.h"

#include <gmock/gmock.h>

#include <future>

#include "router/testing/edge.h"

namespace renga::router::testing {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::string get = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";

TEST(Durations, TellWhatShareWasAnsweredWithin) {
  Durations took;
  EXPECT_EQ(took.quantile(0.5), 0);
  for (int i = 0; i < 90; ++i) took.count(milliseconds(4));
  for (int i = 0; i < 10; ++i) took.count(milliseconds(150));
  EXPECT_GT(took.quantile(0.5), 3);
  EXPECT_LE(took.quantile(0.5), 5);
  EXPECT_GT(took.quantile(0.95), 100);
  EXPECT_LE(took.quantile(0.99), 200);
  took.count(std::chrono::minutes(5));
  EXPECT_EQ(took.quantile(1), 60'000) << "the last bound is all that is known";
  EXPECT_EQ(took.total(), 101U);
}

TEST(RouterFigures, AddUpByAppAndDynoAndSurviveTheirJson) {
  RouterFigures one, other;
  one.dynos = {{"a", "shop", "web.1", {}}, {"a", "shop", "", {}}};
  one.dynos[0].figures.answers[2] = 3;
  one.dynos[0].figures.took.count(microseconds(1'500));
  other.dynos = {{"a", "shop", "web.1", {}}, {"b", "blog", "web.1", {}}};
  other.dynos[0].figures.answers[2] = 4;
  other.dynos[0].figures.errors["H12"] = 1;
  one.unrouted = other.accepted = 7;
  one.add(other);
  ASSERT_EQ(one.dynos.size(), 3U);
  EXPECT_EQ(one.dynos[0].figures.answers[2], 7U);
  EXPECT_EQ(one.dynos[0].figures.errors["H12"], 1U);
  EXPECT_EQ(one.dynos[2].name, "blog");

  const auto again = parse_figures(to_json(one));
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, one);
  EXPECT_FALSE(parse_figures("{}"));
  EXPECT_FALSE(parse_figures("nonsense"));
}

TEST(PrometheusText, HasALineForEachSeries) {
  RouterFigures figures;
  figures.dynos = {{"a", "shop", "web.1", {}}};
  auto& counted = figures.dynos[0].figures;
  counted.answers[2] = 2;
  counted.bytes_out = 10;
  counted.errors["H18"] = 1;
  counted.took.count(milliseconds(4));
  counted.took.count(milliseconds(90'000));
  const auto text = prometheus_text(figures);
  EXPECT_THAT(text, HasSubstr("# TYPE renga_router_requests_total counter\n"
                              "renga_router_requests_total{app=\"shop\",dyno=\"web.1\","
                              "status=\"2xx\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("errors_total{app=\"shop\",dyno=\"web.1\",code=\"H18\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("_seconds_bucket{app=\"shop\",dyno=\"web.1\",le=\"0.003\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("_seconds_bucket{app=\"shop\",dyno=\"web.1\",le=\"0.005\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("_seconds_bucket{app=\"shop\",dyno=\"web.1\",le=\"+Inf\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("_seconds_sum{app=\"shop\",dyno=\"web.1\"} 90.004\n"));
  EXPECT_THAT(text, HasSubstr("renga_router_clients_accepted_total 0\n"));
}

class MetersTest : public ::testing::Test {
 protected:
  static RouterFigures read(Edge& edge) {
    std::promise<RouterFigures> told;
    edge.settle();
    edge.proxy().figures([&](RouterFigures figures) { told.set_value(std::move(figures)); });
    return told.get_future().get();
  }
  static const DynoFigures& of(const RouterFigures& figures, const std::string& dyno) {
    for (const auto& one : figures.dynos) {
      if (one.dyno == dyno) return one;
    }
    throw std::runtime_error("nothing was counted of " + dyno);
  }
  Upstream dyno;
};

TEST_F(MetersTest, CountWhatBecameOfEveryRequest) {
  Edge edge({}, 2);
  edge.serve({dyno.backend("dyno-1")});
  auto client = edge.client();
  client.write("POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 4\r\n\r\nbody");
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\nbody");
  EXPECT_EQ(of(read(edge), "web.1").figures.active, 1);
  connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  read_answer(client);
  client.write(get);
  connection.read_until("\r\n\r\n");
  connection.write("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
  read_answer(client);
  client.write(get);
  connection.read_until("\r\n\r\n");
  edge.pass(Limits().first_byte);
  EXPECT_EQ(read_answer(client).status(), 503);
  client.write("GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n");
  EXPECT_EQ(read_answer(client).status(), 404);

  const auto all = read(edge);
  const auto& web = of(all, "web.1").figures;
  EXPECT_EQ(of(all, "web.1").name, "shop");
  EXPECT_EQ(web.answers, (std::array<std::uint64_t, 6>{0, 0, 1, 0, 1, 1}));
  EXPECT_EQ(web.bytes_in, 4U);
  EXPECT_EQ(web.bytes_out, 4U);
  EXPECT_EQ(web.active, 0);
  EXPECT_EQ(web.errors.at("H12"), 1U);
  EXPECT_EQ(web.took.total(), 3U);
  EXPECT_EQ(all.unrouted, 1U);
  EXPECT_EQ(all.accepted, 1U);
  EXPECT_EQ(all.http1_clients, 1U);

  // A new dyno of the same name counts on; an app that is gone is forgotten.
  edge.serve({dyno.backend("dyno-2")});
  client.write(get);
  auto next = dyno.accept();
  next.read_until("\r\n\r\n");
  next.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  read_answer(client);
  EXPECT_EQ(of(read(edge), "web.1").figures.requests(), 4U);
  auto renamed = app("shop", {});
  renamed.name = "store";
  edge.serve({renamed});
  EXPECT_EQ(of(read(edge), "web.1").name, "store") << "though nobody has asked it since";
  edge.serve({app("blog", {})});
  EXPECT_TRUE(read(edge).dynos.empty());
}

TEST_F(MetersTest, APipeIsActiveUntilItEnds) {
  Edge edge;
  edge.serve({dyno.backend("dyno-1")});
  auto client = edge.client();
  client.write("GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
  client.read_until("\r\n\r\n");
  EXPECT_EQ(of(read(edge), "web.1").figures.active, 1);
  client.close();
  connection.read_all();
  connection.close();
  edge.next_log();
  const auto figures = read(edge);
  EXPECT_EQ(of(figures, "web.1").figures.active, 0);
  EXPECT_EQ(of(figures, "web.1").figures.answers[1], 1U);
  EXPECT_EQ(of(figures, "web.1").figures.took.total(), 0U);
}

TEST_F(MetersTest, APipeThatIdlesOutIsNoLatency) {
  Edge edge;
  edge.serve({dyno.backend("dyno-1")});
  auto client = edge.client();
  client.write("GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
  client.read_until("\r\n\r\n");
  edge.pass(Limits().idle);
  EXPECT_TRUE(client.closed_by_peer());
  const auto figures = read(edge);
  EXPECT_EQ(of(figures, "web.1").figures.errors.at("H15"), 1U);
  EXPECT_EQ(of(figures, "web.1").figures.took.total(), 0U);
}

TEST_F(MetersTest, WhatIsRefusedIsItsAppsOrNobodys) {
  Edge edge;
  edge.serve({app("*", {})});
  const auto refused = [&](const std::string& head) {
    auto client = edge.client();
    client.write(head + "\r\n");
    return read_answer(client).status();
  };
  const std::string shop = "GET / HTTP/1.1\r\nHost: shop.test\r\n";
  EXPECT_EQ(refused(shop + "no colon\r\n"), 400);
  EXPECT_EQ(refused(shop + "X: " + std::string(9'000, 'x') + "\r\n"), 431);
  EXPECT_EQ(refused(shop + "Transfer-Encoding: gzip, chunked\r\n"), 501);
  EXPECT_EQ(refused("GET http://shop.test/ HTTP/1.0\r\n"), 400);
  for (const auto* status : {"400", "431", "501", "400"}) {
    EXPECT_THAT(edge.next_log(),
                AllOf(StartsWith("at=error code=H26 desc=\"Request Error\" "
                                 "cause=\"bad header\" method=GET "),
                      HasSubstr(" host=shop.test "), HasSubstr(std::string(" status=") + status)));
  }
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n"), 400);
  EXPECT_EQ(refused("nonsense\r\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: a status=200 host=\"b\".test\r\n"), 400);
  EXPECT_TRUE(edge.no_log()) << "what is no name must not speak in an app's log";

  const auto all = read(edge);
  EXPECT_EQ(of(all, "").figures.answers, (std::array<std::uint64_t, 6>{0, 0, 0, 0, 3, 1}));
  EXPECT_EQ(of(all, "").figures.errors.at("H26"), 4U);
  EXPECT_EQ(all.unrouted, 3U);
}

TEST_F(MetersTest, TellHowLongTurnsTake) {
  Edge edge({}, 2);
  const auto read = [&] {
    std::promise<Durations> told;
    edge.settle();
    edge.proxy().turns([&](Durations turns) { told.set_value(turns); });
    return told.get_future().get().total();
  };
  const auto before = read();
  EXPECT_GE(read(), before + 2) << "each loop has had at least the turn that it was asked in";
}

TEST_F(MetersTest, AreBoundedAndWhatIsBeyondSharesOne) {
  Limits few;
  few.meters = 4;
  Edge edge(few);
  std::vector<Route> routes;
  for (int i = 0; i < 8; ++i) {
    routes.push_back(app("app-" + std::to_string(i), {}));
    routes.back().web_quantity = 0;
  }
  edge.serve(routes);
  for (int i = 0; i < 8; ++i) {
    auto client = edge.client();
    client.write("GET / HTTP/1.1\r\nHost: app-" + std::to_string(i) + ".test\r\n\r\n");
    EXPECT_EQ(read_answer(client).status(), 503);
  }
  const auto all = read(edge);
  EXPECT_EQ(all.dynos.size(), 5U);
  EXPECT_EQ(all.dynos.back().app, "");
  EXPECT_EQ(all.dynos.back().figures.requests(), 4U);
  EXPECT_EQ(all.dynos.back().figures.errors.at("H14"), 4U);
}

}  // namespace
}  // namespace renga::router::testing
