#include "http/server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

#include "base/id.h"
#include "http/testing/raw_client.h"
#include "http/testing/test_server.h"

namespace renga::http {
namespace {

using std::chrono::milliseconds;
using testing::RawClient;
using Over = RawClient::Over;

Response text(std::string body) {
  Response response;
  response.body = std::move(body);
  return response;
}

std::string request(const std::string& line, const std::string& more = "",
                    const std::string& body = "") {
  return line + " HTTP/1.1\r\nHost: a\r\n" + more + "\r\n" + body;
}

class ServerTest : public ::testing::Test {
 protected:
  testing::TestServer test;

  ServerTest() {
    test.route("/",
               [](Request& r) { return text(r.method + " " + r.target + (r.tls ? " tls" : "")); });
    test.route("/echo", [](Request& r) { return text(r.body); });
    test.route("/throws",
               [](Request&) -> Response { throw std::runtime_error("the disk is full"); });
    test.route("/splits", [](Request&) {
      auto response = text("x");
      response.headers.add("X-A", "a\r\nX-B: b");
      return response;
    });
  }
};

TEST_F(ServerTest, AnswersPlainAndTlsOnOnePort) {
  const auto address = test.start();
  RawClient plain(address);
  RawClient tls(address, Over::tls);
  EXPECT_EQ(plain.ask(request("GET /?a=b")).body, "GET /?a=b");
  EXPECT_EQ(tls.ask(request("GET /")).body, "GET / tls");
  EXPECT_EQ(plain.ask(request("GET /nowhere")).status, 404);
  EXPECT_EQ(tls.ask(request("DELETE /")).body, "DELETE / tls");
}

TEST_F(ServerTest, TellsTheHandlerWhatItKnows) {
  std::promise<Request> seen;
  test.route("/apps", [&](Request& r) {
    seen.set_value(r);
    return text("");
  });
  test.routes["/apps"].params = {{"app", "shop"}};
  RawClient client(test.start());
  client.ask(request("GET /apps?a=1", "X-A: b\r\nx-a: c\r\n"));
  const auto r = seen.get_future().get();
  EXPECT_EQ(r.target, "/apps?a=1");
  EXPECT_EQ(r.path, "/apps");
  EXPECT_EQ(r.query, "a=1");
  EXPECT_EQ(r.headers.value_or("X-a", ""), "b");
  EXPECT_EQ(r.param("app"), "shop");
  EXPECT_TRUE(is_uuid(r.id));
  EXPECT_TRUE(r.peer.starts_with("127.0.0.1:"));
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  std::string requests;
  for (int i = 0; i < 50; ++i) {
    const auto body = "body " + std::to_string(i);
    requests +=
        request("POST /echo", "Content-Length: " + std::to_string(body.size()) + "\r\n", body);
  }
  for (const auto over : {Over::plain, Over::tls}) {
    if (!test.server) test.start();
    RawClient client(test.server->address(), over);
    ASSERT_TRUE(client.send(requests));
    for (int i = 0; i < 50; ++i) EXPECT_EQ(client.answer().body, "body " + std::to_string(i));
  }
}

TEST_F(ServerTest, TakesARequestByteByByte) {
  RawClient client(test.start());
  for (const auto c : request("POST /echo", "Transfer-Encoding: chunked\r\n",
                              "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX: y\r\n\r\n")) {
    ASSERT_TRUE(client.send(std::string_view(&c, 1)));
  }
  EXPECT_EQ(client.answer().body, "abcde");
  EXPECT_EQ(client.ask(request("GET /")).status, 200);
}

TEST_F(ServerTest, KeepsAndClosesConnectionsAsAsked) {
  const auto address = test.start();
  const auto closes = [&](const std::string& bytes) {
    RawClient client(address);
    EXPECT_EQ(client.ask(bytes).status, 200);
    return client.ask(request("GET /")).status == 0;
  };
  EXPECT_FALSE(closes(request("GET /")));
  EXPECT_TRUE(closes(request("GET /", "Connection: close\r\n")));
  EXPECT_TRUE(closes("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_FALSE(closes("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST_F(ServerTest, AnswersHeadWithoutABody) {
  RawClient client(test.start());
  const auto head = client.ask(request("HEAD /"), "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_NE(head.head.find("Content-Length: 6\r\n"), std::string::npos);
  EXPECT_EQ(client.ask(request("GET /")).body, "GET /");
}

TEST_F(ServerTest, TurnsAThrowIntoA500WithTheRequestsId) {
  RawClient client(test.start());
  const auto answer = client.ask(request("GET /throws"));
  EXPECT_EQ(answer.status, 500);
  EXPECT_NE(answer.body.find("\"id\":\"internal_server_error\""), std::string::npos);
  const auto at = answer.head.find("Request-Id: ");
  ASSERT_NE(at, std::string::npos);
  EXPECT_NE(answer.body.find(answer.head.substr(at + 12, 36)), std::string::npos);
  EXPECT_EQ(answer.body.find("disk"), std::string::npos);
  EXPECT_EQ(client.ask(request("GET /")).status, 200);
}

TEST_F(ServerTest, RefusesAnAnswerThatWouldBeSplit) {
  RawClient client(test.start());
  const auto answer = client.ask(request("GET /splits"));
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.head.find("X-B"), std::string::npos);
}

TEST_F(ServerTest, RefusesMalformedRequestsAndCloses) {
  const auto address = test.start();
  for (const auto& [bytes, status] : std::vector<std::pair<std::string, int>>{
           {"nonsense\r\n\r\n", 400},
           {request("GET /", "X-A : b\r\n"), 400},
           {request("CONNECT a:1"), 405},
           {request("GET /" + std::string(9000, 'x')), 414},
           {request("GET /", "Expect: magic\r\n"), 417},
           {request("POST /echo", "Transfer-Encoding: gzip, chunked\r\n"), 501},
           {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
           {request("POST /echo", "Transfer-Encoding: chunked\r\n", "zz\r\n"), 400},
           {request("POST /echo", "Content-Length: 10485761\r\n"), 413},
       }) {
    RawClient client(address);
    const auto answer = client.ask(bytes);
    EXPECT_EQ(answer.status, status) << bytes.substr(0, 60);
    EXPECT_NE(answer.head.find("Connection: close"), std::string::npos);
    EXPECT_EQ(client.read_to_end(), "");
  }
}

TEST_F(ServerTest, RefusesTenMegabytesOfHeadersWithoutReadingThemAll) {
  const auto address = test.start();
  for (const auto over : {Over::plain, Over::tls}) {
    RawClient client(address, over);
    std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 0; i < 2600; ++i)
      head += "X-" + std::to_string(i) + ": " + std::string(4000, 'x') + "\r\n";
    EXPECT_EQ(client.ask(head + "\r\n").status, 431);
  }
}

TEST_F(ServerTest, RefusesABodyThatGrowsOverItsLimit) {
  test.routes["/echo"].body_limit = 10;
  RawClient client(test.start());
  EXPECT_EQ(client.ask(request("POST /echo", "Content-Length: 10\r\n", "0123456789")).status, 200);
  EXPECT_EQ(client
                .ask(request("POST /echo", "Transfer-Encoding: chunked\r\n",
                             "6\r\n012345\r\n6\r\n012345\r\n0\r\n\r\n"))
                .status,
            413);
}

TEST_F(ServerTest, AnswersAClientThatHalfClosed) {
  const auto address = test.start();
  RawClient client(address);
  client.send(request("GET /"));
  client.half_close();
  EXPECT_EQ(client.answer().body, "GET /");
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(ServerTest, GivesUpOnASlowHeadAndASlowBody) {
  test.limits.head = test.limits.body = test.limits.idle = milliseconds(50);
  const auto address = test.start();
  EXPECT_EQ(RawClient(address).ask("GET / HT").status, 408);
  EXPECT_EQ(RawClient(address).ask(request("POST /echo", "Content-Length: 9\r\n", "abc")).status,
            408);
  EXPECT_EQ(RawClient(address).read_to_end(), "");  // said nothing: hears nothing
  RawClient idle(address);
  EXPECT_EQ(idle.ask(request("GET /")).status, 200);
  EXPECT_EQ(idle.read_to_end(), "");
}

TEST_F(ServerTest, SendsContinueOnlyWhenTheBodyIsWanted) {
  test.streamed("/stream", [](Request& r) {
    std::string all;
    for (auto piece = r.stream->read(); !piece.empty(); piece = r.stream->read()) all += piece;
    return text(all);
  });
  test.streamed("/unread", [](Request&) {
    Response response;
    response.status = 401;
    return response;
  });
  const auto address = test.start();
  const std::string expects = "Content-Length: 3\r\nExpect: 100-continue\r\n";
  for (const auto* path : {"/echo", "/stream"}) {
    RawClient client(address);
    client.send(request(std::string("POST ") + path, expects));
    EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(client.ask("abc").body, "abc");
  }
  RawClient refused(address);
  const auto answer = refused.ask(request("POST /unread", expects));
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(refused.informational, 0);
  EXPECT_NE(answer.head.find("Connection: close"), std::string::npos);
}

TEST_F(ServerTest, RefusesMoreThanItsThreadsCanDo) {
  test.limits.threads = 1;
  std::promise<void> entered, release;
  test.route("/wait", [&](Request&) {
    entered.set_value();
    release.get_future().wait();
    return text("done");
  });
  const auto address = test.start();
  RawClient first(address);
  first.send(request("GET /wait"));
  entered.get_future().wait();
  EXPECT_EQ(RawClient(address).ask(request("GET /")).status, 503);
  release.set_value();
  EXPECT_EQ(first.answer().body, "done");
}

TEST_F(ServerTest, AnswersQuickRoutesItselfHoweverBusyItsThreadsAre) {
  test.limits.threads = 1;
  std::promise<void> entered, release;
  test.route("/wait", [&](Request&) {
    entered.set_value();
    release.get_future().wait();
    return text("done");
  });
  for (const auto* path : {"/", "/echo", "/throws"}) test.routes[path].quick = true;
  test.route("/streams", [](Request&) {
    Response response;
    response.stream = [](const auto& out) { out->finish(); };
    return response;
  });
  test.routes["/streams"].quick = true;
  const auto address = test.start();
  RawClient busy(address);
  busy.send(request("GET /wait"));
  entered.get_future().wait();
  for (const auto over : {Over::plain, Over::tls}) {
    RawClient client(address, over);
    std::string pipelined;
    for (int i = 0; i < 200; ++i) pipelined += request("GET /?" + std::to_string(i));
    ASSERT_TRUE(client.send(pipelined));
    for (int i = 0; i < 200; ++i)
      EXPECT_TRUE(client.answer().body.starts_with("GET /?" + std::to_string(i)));
    EXPECT_EQ(client.ask(request("POST /echo", "Content-Length: 3\r\n", "abc")).body, "abc");
    EXPECT_EQ(client.ask(request("GET /throws")).status, 500);
    EXPECT_EQ(client.ask(request("GET /streams")).status, 500);  // it may not
    EXPECT_EQ(client.ask(request("GET /", "Connection: close\r\n")).status, 200);
    EXPECT_EQ(client.read_to_end(), "");
  }
  release.set_value();
  EXPECT_EQ(busy.answer().body, "done");
}

TEST_F(ServerTest, ClosesWhatIsOverItsConnections) {
  test.limits.connections = 2;
  const auto address = test.start();
  RawClient one(address), two(address);
  EXPECT_EQ(one.ask(request("GET /")).status, 200);
  EXPECT_EQ(two.ask(request("GET /")).status, 200);
  RawClient three(address);
  EXPECT_EQ(three.read_to_end(), "");
}

TEST_F(ServerTest, SpeaksALineThatIsNotHttpOverTls) {
  std::promise<std::string> line;
  test.on_line = [&](const std::string& secret, std::shared_ptr<RawConnection> connection) {
    line.set_value(secret);
    connection->write("rendezvous\r\n");
    for (auto bytes = connection->read(); !bytes.empty(); bytes = connection->read()) {
      connection->write("<" + bytes + ">");
      if (bytes.find('\x04') != std::string::npos) break;
    }
  };
  const auto address = test.start();
  RawClient client(address, Over::tls);
  const std::string secret(64, 'f');
  client.send(secret.substr(0, 10));
  client.send(secret.substr(10) + "\r");
  client.send("\n");
  EXPECT_EQ(line.get_future().get(), secret);
  EXPECT_EQ(client.read_some(), "rendezvous\r\n");  // a record of its own
  client.send("ls");
  EXPECT_EQ(client.read_until(">"), "<ls>");
  client.send("\x04");
  EXPECT_EQ(client.read_to_end(), "<\x04>");
  EXPECT_EQ(RawClient(address).ask(secret + "\r\n\r\n").status, 400);  // not over plain
}

TEST_F(ServerTest, ClosesALineNobodyWaitsFor) {
  RawClient client(test.start(), Over::tls);
  client.send("secret\r\n");
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(ServerTest, DrainsRequestsUnderWayAndNoOthers) {
  std::promise<void> entered, release;
  test.route("/wait", [&](Request&) {
    entered.set_value();
    release.get_future().wait();
    return text("done");
  });
  const auto address = test.start();
  RawClient busy(address), idle(address);
  EXPECT_EQ(idle.ask(request("GET /")).status, 200);
  busy.send(request("GET /wait"));
  entered.get_future().wait();
  std::thread draining([&] { test.server->drain(milliseconds(10'000)); });
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_THROW(RawClient{address}, std::runtime_error);
  release.set_value();
  const auto answer = busy.answer();
  EXPECT_EQ(answer.body, "done");
  EXPECT_NE(answer.head.find("Connection: close"), std::string::npos);
  busy.close();
  draining.join();
}

TEST_F(ServerTest, EndsWhileClientsAndHandlersAreBusy) {
  std::promise<void> entered;
  test.streamed("/stuck", [&](Request& r) {
    entered.set_value();
    r.stream->read();
    return text("never");
  });
  const auto address = test.start();
  RawClient idle(address), half(address), stuck(address, Over::tls);
  half.send("GET / HT");
  stuck.send(request("POST /stuck", "Content-Length: 5\r\n"));
  entered.get_future().wait();
  test.server.reset();
  EXPECT_EQ(stuck.answer().status, 0);
}

}  // namespace
}  // namespace renga::http
