#include "http/client.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <stdexcept>

#include "http/testing/test_server.h"
#include "net/socket.h"

namespace renga::http {
namespace {

using std::chrono::milliseconds;

class ClientTest : public ::testing::Test {
 protected:
  testing::TestServer test;
  Client client;
  std::string dir;

  ClientTest() {
    char name[] = "/tmp/renga-http-XXXXXX";
    dir = ::mkdtemp(name);
    test.route("/echo", [](Request& r) {
      Response response;
      response.status = 201;
      response.headers.add("X-Method", r.method);
      response.headers.add("X-Expect", std::string(r.headers.value_or("expect", "none")));
      response.headers.add("X-Auth", std::string(r.headers.value_or("authorization", "none")));
      response.headers.add("X-Type", std::string(r.headers.value_or("content-type", "none")));
      response.body = r.body;
      return response;
    });
  }
  ~ClientTest() override { std::filesystem::remove_all(dir); }

  std::string ca_file() {
    const auto path = dir + "/ca.pem";
    std::ofstream(path) << test.certificate.certificate;
    return path;
  }
  ClientRequest to(const std::string& url, const std::string& method = "GET") {
    ClientRequest request;
    request.url = url;
    request.method = method;
    request.ca_file = ca_file();
    request.headers.add("Authorization", "Bearer secret");
    return request;
  }
};

TEST_F(ClientTest, SendsAnyMethodWithABodyAndKeepsNothingBetweenCalls) {
  const auto base = "http://" + test.start();
  for (const auto* method : {"POST", "PATCH", "PUT", "DELETE", "GET", "BREW"}) {
    auto request = to(base + "/echo", method);
    request.body = std::string(2000, 'x');  // libcurl would ask for 100 Continue from 1 MiB
    request.headers.add("Content-Type", "application/json");
    const auto answer = client.send(request);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 201);
    EXPECT_EQ(answer->headers.value_or("x-method", ""), method);
    EXPECT_EQ(answer->headers.value_or("x-expect", ""), "none");
    EXPECT_EQ(answer->headers.value_or("x-type", ""), "application/json");
    EXPECT_EQ(answer->body, request.body);
  }
  const auto plain = client.send(to(base + "/echo"));
  EXPECT_EQ(plain->headers.value_or("x-type", ""), "none");
  EXPECT_EQ(plain->body, "");
  EXPECT_EQ(client.send(to(base + "/echo", "HEAD"))->body, "");
  EXPECT_EQ(client.send(to(base + "/none"))->status, 404);
  EXPECT_EQ(client.send(to(base + "/echo", "POST"))->body, "");
}

TEST_F(ClientTest, TrustsTheCaItIsGivenAndNoOther) {
  const auto address = test.start();
  EXPECT_EQ(client.send(to("https://" + address + "/echo"))->status, 201);
  auto stranger = to("https://" + address + "/echo");
  stranger.ca_file.clear();
  Client other;
  const auto refused = other.send(stranger);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::unavailable);
  EXPECT_NE(refused.error().message.find("certificate"), std::string::npos);
}

TEST_F(ClientTest, HandsOverTheBodyAsItComesAndStopsWhenTold) {
  test.route("/tail", [](Request&) {
    Response response;
    response.stream = [](std::shared_ptr<ResponseStream> out) {
      while (out->write("line\n")) {
      }
    };
    return response;
  });
  auto request = to("http://" + test.start() + "/tail");
  std::size_t got = 0;
  request.on_body = [&](std::string_view bytes) { return (got += bytes.size()) < 1000; };
  const auto answer = client.send(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_GE(got, 1000U);
  EXPECT_TRUE(answer->body.empty());
}

TEST_F(ClientTest, PassesAnExceptionOfItsCallerThrough) {
  auto request = to("http://" + test.start() + "/none");
  request.on_body = [](std::string_view) -> bool { throw std::runtime_error("disk full"); };
  EXPECT_THROW(client.send(request), std::runtime_error);
}

TEST_F(ClientTest, FollowsRedirectsOnlyForGetAndTakesNoTokenElsewhere) {
  testing::TestServer elsewhere;
  elsewhere.routes = test.routes;
  const auto other = elsewhere.start();
  const auto redirect = [](std::string to) {
    return [to = std::move(to)](Request&) {
      Response response;
      response.status = 302;
      response.headers.add("Location", to);
      response.body = "moved";
      return response;
    };
  };
  test.route("/near", redirect("/echo"));
  test.route("/far", redirect("http://" + other + "/echo"));
  test.route("/round", redirect("/round"));
  const auto base = "http://" + test.start();
  EXPECT_EQ(client.send(to(base + "/near"))->headers.value_or("x-auth", ""), "Bearer secret");
  std::string streamed;
  auto far = to(base + "/far");
  far.on_body = [&](std::string_view bytes) {
    streamed += bytes;
    return true;
  };
  EXPECT_EQ(client.send(far)->headers.value_or("x-auth", ""), "none");
  EXPECT_EQ(streamed, "");
  EXPECT_EQ(client.send(to(base + "/near", "POST"))->status, 302);
  EXPECT_EQ(client.send(to(base + "/round"))->status, 302);
}

TEST_F(ClientTest, SaysWhyThereIsNoAnswer) {
  std::promise<void> release;
  test.route("/slow", [&](Request&) {
    release.get_future().wait();
    return Response();
  });
  auto request = to("http://user:hidden@" + test.start() + "/slow");
  request.timeout = milliseconds(50);
  const auto slow = client.send(request);
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().kind, Kind::unavailable);
  EXPECT_EQ(slow.error().message.find("hidden"), std::string::npos);
  release.set_value();

  for (const auto* url : {"ftp://localhost/", "not a url", "http://", "file:///etc/passwd"}) {
    EXPECT_FALSE(client.send(to(url))) << url;
  }
  auto broken = to("http://" + test.server->address() + "/echo");
  broken.headers.add("X-A", "a\r\nX-B: b");
  EXPECT_THROW(client.send(broken), std::invalid_argument);
}

}  // namespace
}  // namespace renga::http
