// https at the edge: which certificate, what the dyno and the log are told, certificates that
// change, and what is answered before an app is asked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "net/testing/certificate.h"
#include "router/testing/edge.h"
#include "router/testing/tls_client.h"

namespace renga::router::testing {
namespace {

using ::testing::HasSubstr;

net::NamedCertificate certificate(std::vector<std::string> names) {
  auto made = net::testing::make_certificate(names.front());
  return {std::move(names), made.certificate, made.key};
}

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    edge.serve({dyno.backend("d1")});
    edge.proxy().set_certificates(
        {certificate({"fallback.test"}), certificate({"shop.test"}), certificate({"*.wild.test"})});
  }
  std::string name_for(const std::string& host) {
    return TlsClient(edge.https_port(), host).common_name();
  }

  Upstream dyno;
  Edge edge;
};

TEST_F(TlsTest, TheCertificateIsTheHostsOwnOrTheFirst) {
  EXPECT_EQ(name_for("shop.test"), "shop.test");
  EXPECT_EQ(name_for("SHOP.Test"), "shop.test");
  EXPECT_EQ(name_for("a.wild.test"), "*.wild.test");
  EXPECT_EQ(name_for("b.a.wild.test"), "fallback.test");
  EXPECT_EQ(name_for("other.test"), "fallback.test");
  EXPECT_EQ(name_for(""), "fallback.test");
}

TEST_F(TlsTest, TheDynoAndTheLogAreToldOfIt) {
  TlsClient client(edge.https_port(), "shop.test", nullptr, "\x08http/1.1");
  EXPECT_EQ(client.protocol(), "http/1.1");
  client.write("GET / HTTP/1.1\r\nHost: shop.test\r\nX-Forwarded-Proto: gopher\r\n\r\n");
  auto at_dyno = dyno.accept();
  const auto head = at_dyno.read_until("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("X-Forwarded-Proto: https\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Forwarded-Port: " + edge.https_port() + "\r\n"));
  EXPECT_THAT(head, ::testing::Not(HasSubstr("gopher")));
  at_dyno.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("HTTP/1.1 200 OK"));
  EXPECT_EQ(client.read(5), "hello");
  EXPECT_THAT(edge.next_log(), HasSubstr(" protocol=http1.1 tls=true tls_version=tls1.3"));
}

TEST_F(TlsTest, BodiesOfAnySizePassBothWays) {
  TlsClient client(edge.https_port(), "shop.test");
  const std::string body(3'000'000, 'x');
  std::thread writes([&] {
    client.write("POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 3000000\r\n\r\n");
    client.write(body);
  });
  auto at_dyno = dyno.accept();
  at_dyno.read_until("\r\n\r\n");
  EXPECT_EQ(at_dyno.read(body.size()), body);
  writes.join();
  std::thread answers(
      [&] { at_dyno.write("HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + body); });
  client.read_until("\r\n\r\n");
  EXPECT_EQ(client.read(body.size()), body);
  answers.join();
}

TEST_F(TlsTest, CertificatesChangeUnderConnectionsThatStand) {
  TlsClient before(edge.https_port(), "shop.test");
  edge.proxy().set_certificates({certificate({"new.test"})});
  before.write("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
  auto at_dyno = dyno.accept();
  at_dyno.read_until("\r\n\r\n");
  at_dyno.write("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_THAT(before.read_until("\r\n\r\n"), HasSubstr("204"));
  EXPECT_EQ(name_for("shop.test"), "new.test");
}

TEST_F(TlsTest, AHostWithAnotherCertificateThanTheHandshakesIsRefused) {
  edge.serve({app("shop", {dyno.backend("d1")}), app("a.wild", {dyno.backend("d2", "web.1")}),
              app("other", {dyno.backend("d3")})});
  const auto ask = [&](const std::string& handshake, const std::string& host) {
    TlsClient client(edge.https_port(), handshake);
    client.write("GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
    return client.read_until("\r\n");
  };
  EXPECT_EQ(ask("shop.test", "a.wild.test"), "HTTP/1.1 495 SSL Certificate Error\r\n");
  EXPECT_THAT(edge.next_log(), HasSubstr("at=error code=H32 desc=\"TLS Certificate Mismatch\" "));
  EXPECT_EQ(ask("shop.test", "other.test:443"), "HTTP/1.1 495 SSL Certificate Error\r\n");
  EXPECT_THAT(edge.next_log(), HasSubstr("code=H32"));
  EXPECT_TRUE(dyno.nobody_comes());
}

TEST_F(TlsTest, HostsUnderOneCertificateAndClientsThatNameNoneAreServed) {
  edge.serve({app("a.wild", {dyno.backend("d1")})});
  for (const std::string handshake : {"b.wild.test", "A.Wild.Test", "127.0.0.1", ""}) {
    TlsClient client(edge.https_port(), handshake);
    client.write("GET / HTTP/1.1\r\nHost: a.wild.test\r\nConnection: close\r\n\r\n");
    auto at_dyno = dyno.accept();
    at_dyno.read_until("\r\n\r\n");
    at_dyno.write("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("204")) << handshake;
  }
}

TEST_F(TlsTest, SessionsAreResumed) {
  SSL_SESSION* session = nullptr;
  {
    TlsClient first(edge.https_port(), "shop.test");
    EXPECT_FALSE(first.resumed());
    // With TLS 1.3 the ticket comes with the first answer.
    first.write("GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n");
    EXPECT_THAT(first.read_until("\r\n\r\n"), HasSubstr("404"));
    session = first.session();
  }
  TlsClient second(edge.https_port(), "shop.test", session);
  EXPECT_TRUE(second.resumed());
  SSL_SESSION_free(session);
}

TEST_F(TlsTest, PlainHttpIsToldWhatThisPortSpeaks) {
  Wire client(*net::connect_tcp("127.0.0.1:" + edge.https_port(), std::chrono::seconds(10)));
  client.write("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
  EXPECT_THAT(client.read_all(), HasSubstr("This port speaks HTTPS"));
}

TEST_F(TlsTest, AClientThatSaysNothingIsLetGoOf) {
  Wire silent(*net::connect_tcp("127.0.0.1:" + edge.https_port(), std::chrono::seconds(10)));
  edge.pass(Limits().keep_alive);
  EXPECT_TRUE(silent.closed_by_peer());
}

TEST_F(TlsTest, AnAppMayRedirectToHttps) {
  auto shop = app("shop", {dyno.backend("d1")});
  shop.redirect_to_https = true;
  edge.serve({shop});
  auto client = edge.client();
  client.write("GET /a?b=1 HTTP/1.1\r\nHost: Shop.test:80\r\n\r\n");
  const auto get = read_answer(client);
  EXPECT_EQ(get.status(), 301);
  EXPECT_TRUE(get.has("Location: https://Shop.test:" + edge.https_port() + "/a?b=1\r\n"));
  EXPECT_THAT(edge.next_log(), HasSubstr("at=info method=GET"));
  client.write("POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(read_answer(client).status(), 308);
  EXPECT_TRUE(dyno.nobody_comes());
}

TEST_F(TlsTest, AcmeChallengesAreAnsweredBeforeEverythingElse) {
  auto shop = app("shop", {dyno.backend("d1")});
  shop.redirect_to_https = shop.maintenance = true;
  edge.serve({shop}, {}, {{"token-1", "token-1.thumbprint"}});
  auto client = edge.client();
  client.write("GET /.well-known/acme-challenge/token-1 HTTP/1.1\r\nHost: shop.test\r\n\r\n");
  const auto known = read_answer(client);
  EXPECT_EQ(known.status(), 200);
  EXPECT_EQ(known.body, "token-1.thumbprint");
  client.write("GET /.well-known/acme-challenge/token-2 HTTP/1.1\r\nHost: shop.test\r\n\r\n");
  EXPECT_EQ(read_answer(client).status(), 301);
}

}  // namespace
}  // namespace renga::router::testing
