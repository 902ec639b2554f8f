// Certificates and the domains that are served with them.
#include "api/testing/world.h"
#include "net/testing/certificate.h"

namespace renga::api {
namespace {

class SniEndpointsTest : public World {
 protected:
  SniEndpointsTest() : made(net::testing::make_certificate()) {
    clock.advance(SystemClock().now() - clock.now());
  }
  std::string body(const std::string& chain, const std::string& key) {
    return boost::json::serialize(
        boost::json::object{{"certificate_chain", chain}, {"private_key", key}});
  }
  net::testing::Certificate made;  // for localhost and 127.0.0.1
};

TEST_F(SniEndpointsTest, AreAddedListedChangedAndRemovedWithoutTheirKeys) {
  const auto added =
      json(send("POST", "/apps/sushi/sni-endpoints", body(made.certificate, made.key)), 201);
  expect_fits("sni-endpoint", added);
  expect_fits("sni-endpoint", get("/apps/sushi/sni-endpoints"));
  const auto name = text_at(added, "name");
  EXPECT_EQ(added.at("ssl_cert").at("self_signed?"), true);
  EXPECT_EQ(boost::json::serialize(added).find("PRIVATE KEY"), std::string::npos);

  const auto other = net::testing::make_certificate();
  const auto updated =
      json(send("PATCH", "/apps/sushi/sni-endpoints/" + name, body(other.certificate, other.key)));
  EXPECT_EQ(text_at(updated, "name"), name);
  EXPECT_EQ(text_at(updated, "certificate_chain"), other.certificate);
  expect_error(
      send("PATCH", "/apps/sushi/sni-endpoints/" + name, body(other.certificate, made.key)), 422,
      "invalid_params");

  json(send("DELETE", "/apps/sushi/sni-endpoints/" + name));
  expect_error(send("GET", "/apps/sushi/sni-endpoints/" + name), 404, "not_found");
  EXPECT_TRUE(get("/apps/sushi/sni-endpoints").as_array().empty());
}

TEST_F(SniEndpointsTest, AreNobodyElses) {
  expect_error(
      send("POST", "/apps/sushi/sni-endpoints", body(made.certificate, made.key), as_bob()), 404,
      "not_found");
  expect_error(send("POST", "/apps/sushi/sni-endpoints", "{}"), 422, "invalid_params");
}

TEST_F(SniEndpointsTest, ServeOnlyDomainsThatTheyCover) {
  const auto added =
      json(send("POST", "/apps/sushi/sni-endpoints", body(made.certificate, made.key)), 201);
  const auto name = text_at(added, "name");
  expect_error(send("POST", "/apps/sushi/domains",
                    R"({"hostname":"www.example.com","sni_endpoint":")" + name + R"("})"),
               422, "invalid_params");
  EXPECT_EQ(get("/apps/sushi/domains").as_array().size(), 1U);  // not half of it
  json(send("POST", "/apps/sushi/domains", R"({"hostname":"www.example.com","sni_endpoint":null})"),
       201);
  expect_error(send("PATCH", "/apps/sushi/domains/www.example.com", R"({"sni_endpoint":"nope"})"),
               422, "invalid_params");
  expect_error(
      send("PATCH", "/apps/sushi/domains/www.example.com", R"({"sni_endpoint":")" + name + R"("})"),
      422, "invalid_params");
}

}  // namespace
}  // namespace renga::api
