// HTTP/2 at the edge: the same requests in frames, and what must not be believed or endured.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/testing/certificate.h"
#include "router/testing/edge.h"
#include "router/testing/h2_client.h"

namespace renga::router::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class H2Test : public ::testing::Test {
 protected:
  H2Test() {
    edge.serve({dyno.backend("d1")});
    const auto made = net::testing::make_certificate("shop.test");
    edge.proxy().set_certificates({{{"shop.test"}, made.certificate, made.key}});
  }
  // The request's head as the dyno sees it, and its answer.
  std::string exchange(H2Client& client, std::uint32_t stream, const H2Client::Fields& fields) {
    client.request(stream, fields);
    if (!at_dyno) at_dyno = std::make_unique<Wire>(dyno.accept());
    const auto head = at_dyno->read_until("\r\n\r\n");
    at_dyno->write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-From: dyno\r\n\r\nok");
    const auto answer = client.answer(stream);
    EXPECT_EQ(answer.status(), 200);
    EXPECT_EQ(answer.body, "ok");
    return head;
  }
  // What a request of these fields ends with, without a dyno hearing of it: a status, or 1000 and
  // the reset's code.
  int refused(H2Client::Fields fields, bool ends = true) {
    H2Client client(edge.https_port());
    client.request(1, fields, ends);
    const auto answer = client.answer(1);
    EXPECT_TRUE(dyno.nobody_comes(std::chrono::milliseconds(10)));
    return answer.reset >= 0 && answer.status() == 0 ? 1000 + answer.reset : answer.status();
  }
  int refused_with(std::string name, std::string value) {
    auto fields = H2Client::get();
    fields.emplace_back(std::move(name), std::move(value));
    return refused(std::move(fields));
  }

  // Time enough for a slow machine; the test skips it.
  static Limits limits() {
    Limits made;
    made.last_call = std::chrono::seconds(20);
    return made;
  }
  Upstream dyno;
  std::unique_ptr<Wire> at_dyno;
  Edge edge{limits()};
};

TEST_F(H2Test, ARequestIsTheSameToTheDynoAndTheLog) {
  H2Client client(edge.https_port());
  auto fields = H2Client::get("/a?b=1");
  fields.insert(fields.end(),
                {{"cookie", "a=1"}, {"x-a", "1"}, {"cookie", "b=2"}, {"te", "trailers"}});
  const auto head = exchange(client, 1, fields);
  EXPECT_THAT(head, HasSubstr("GET /a?b=1 HTTP/1.1\r\nHost: shop.test\r\n"));
  EXPECT_THAT(head, HasSubstr("cookie: a=1; b=2\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Forwarded-Proto: https\r\n"));
  EXPECT_THAT(head, HasSubstr("Via: 2.0 renga-router\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("te:")));
  EXPECT_THAT(edge.next_log(), HasSubstr("at=info method=GET path=\"/a?b=1\" host=shop.test "));
  exchange(client, 3, H2Client::get());
  const auto line = edge.next_log();
  EXPECT_THAT(line, HasSubstr("status=200 bytes=2 protocol=http2.0 tls=true tls_version=tls1.3"));
}

TEST_F(H2Test, AnswersHaveTheirFieldsInLowerCaseAndNoHopByHopOnes) {
  H2Client client(edge.https_port());
  client.request(1, H2Client::get());
  auto at = dyno.accept();
  at.read_until("\r\n\r\n");
  at.write(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: X-Hop\r\nX-Hop: 1\r\n"
      "X-Stays: A\r\nKeep-Alive: 1\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  const auto answer = client.answer(1);
  EXPECT_EQ(answer.body, "abc");
  EXPECT_EQ(answer.fields.at("x-stays"), "A");
  for (const auto* gone : {"transfer-encoding", "connection", "x-hop", "keep-alive"}) {
    EXPECT_FALSE(answer.fields.contains(gone)) << gone;
  }
  EXPECT_EQ(answer.fields.at("via"), "1.1 renga-router");
}

TEST_F(H2Test, ManyStreamsShareAConnectionAndEndInAnyOrder) {
  H2Client client(edge.https_port());
  std::vector<Wire> dynos;
  for (std::uint32_t id = 1; id < 100; id += 2) client.request(id, H2Client::get());
  for (int i = 0; i < 50; ++i) dynos.push_back(dyno.accept());
  for (std::size_t i = dynos.size(); i-- > 0;) {
    dynos[i].read_until("\r\n\r\n");
    dynos[i].write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
  }
  for (std::uint32_t id = 1; id < 100; id += 2) EXPECT_EQ(client.answer(id).body, "x") << id;
}

TEST_F(H2Test, BodiesFlowBothWaysByTheirWindows) {
  H2Client client(edge.https_port());
  auto fields = H2Client::get();
  fields[0].second = "POST";
  client.request(1, fields, false);
  const std::string body(200'000, 'u');
  for (std::size_t at = 0; at < body.size(); at += 10'000) {
    client.send(h2::data, at + 10'000 == body.size() ? h2::end_stream : 0, 1,
                std::string_view(body).substr(at, 10'000));
  }
  auto at = dyno.accept();
  EXPECT_THAT(at.read_until("\r\n\r\n"), HasSubstr("Transfer-Encoding: chunked\r\n"));
  std::string received;
  while (true) {
    const auto size = std::stoul(at.read_until("\r\n"), nullptr, 16);
    received += at.read(size);
    at.read(2);
    if (size == 0) break;
  }
  EXPECT_EQ(received, body);
  std::thread answers([&] {
    at.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + std::string(1'000'000, 'd'));
  });
  EXPECT_EQ(client.answer(1).body, std::string(1'000'000, 'd'));
  answers.join();
}

TEST_F(H2Test, AClientWithoutAWindowHoldsUpNobodyElse) {
  H2Client client(edge.https_port());
  client.gives_windows = false;
  client.send(h2::settings, 0, 0, std::string("\0\4\0\0\0\0", 6));  // streams get no window at all
  client.request(1, H2Client::get());
  auto slow = dyno.accept();
  slow.read_until("\r\n\r\n");
  std::thread writes([&] {
    try {
      slow.write("HTTP/1.1 200 OK\r\nContent-Length: 90000000\r\n\r\n" +
                 std::string(90'000'000, 'x'));
    } catch (const std::exception&) {  // the edge lets go of it
    }
  });
  client.request(3, H2Client::get());
  auto quick = dyno.accept();
  quick.read_until("\r\n\r\n");
  quick.write("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(client.answer(3).status(), 204);
  client.tls().reset();
  writes.join();
}

TEST_F(H2Test, ContentLengthIsCountedAndALieKillsTheDynosConnectionToo) {
  H2Client client(edge.https_port());
  auto fields = H2Client::get();
  fields[0].second = "POST";
  fields.emplace_back("content-length", "10");
  client.request(1, fields, false);
  client.send(h2::data, 0, 1, "12345");
  auto at = dyno.accept();
  EXPECT_THAT(at.read_until("\r\n\r\n"), HasSubstr("content-length: 10\r\n"));
  client.send(h2::data, h2::end_stream, 1, "GET / HTTP/1.1\r\n");
  EXPECT_EQ(client.answer(1).reset, 1);
  EXPECT_EQ(at.read_all(), "12345");
}

TEST_F(H2Test, ADowngradeCannotSmuggle) {
  const int protocol_error = 1001;
  EXPECT_EQ(refused_with("transfer-encoding", "chunked"), protocol_error);
  EXPECT_EQ(refused_with("connection", "close"), protocol_error);
  EXPECT_EQ(refused_with("upgrade", "websocket"), protocol_error);
  EXPECT_EQ(refused_with("keep-alive", "1"), protocol_error);
  EXPECT_EQ(refused_with("proxy-connection", "close"), protocol_error);
  EXPECT_EQ(refused_with("te", "gzip"), protocol_error);
  EXPECT_EQ(refused_with("X-Upper", "1"), protocol_error);
  EXPECT_EQ(refused_with("x y", "1"), protocol_error);
  EXPECT_EQ(refused_with("x:y", "1"), protocol_error);
  EXPECT_EQ(refused_with("x\r\ny", "1"), protocol_error);
  EXPECT_EQ(refused_with("", "1"), protocol_error);
  EXPECT_EQ(refused_with("x", "1\r\nTransfer-Encoding: chunked"), protocol_error);
  EXPECT_EQ(refused_with("x", "1\nHost: other"), protocol_error);
  EXPECT_EQ(refused_with("x", std::string("1\0", 2)), protocol_error);
  EXPECT_EQ(refused_with("host", "other.test"), protocol_error);
  EXPECT_EQ(refused_with(":path", "/second"), protocol_error);  // late, and twice
  EXPECT_EQ(refused_with(":status", "200"), protocol_error);
  EXPECT_EQ(refused_with("content-length", "5"), protocol_error);  // and no body
  EXPECT_EQ(refused_with("content-length", "+0"), protocol_error);
  const auto with = [](std::size_t place, std::string value) {
    auto fields = H2Client::get();
    fields[place].second = std::move(value);
    return fields;
  };
  EXPECT_EQ(refused(with(0, "GET / HTTP/1.1\r\nX:")), protocol_error);
  EXPECT_EQ(refused(with(0, "")), protocol_error);
  EXPECT_EQ(refused(with(1, "")), protocol_error);
  EXPECT_EQ(refused(with(2, "")), protocol_error);
  EXPECT_EQ(refused(with(2, "/ HTTP/1.1\r\nX: y")), protocol_error);
  EXPECT_EQ(refused(with(2, "/a b")), protocol_error);
  EXPECT_EQ(refused(with(2, "http://other.test/")), protocol_error);
  EXPECT_EQ(refused(with(2, "/a#b")), 400);
  EXPECT_EQ(refused(with(3, "shop.test/x")), protocol_error);
  EXPECT_EQ(refused(with(3, "a@shop.test")), 400);
  EXPECT_EQ(refused(with(3, "nobody.test")), 404);
  EXPECT_EQ(refused({{":method", "CONNECT"}, {":authority", "shop.test:80"}}), 405);
  EXPECT_EQ(refused_with("x", std::string(9000, 'x')), 431);
}

TEST_F(H2Test, AHostOfAnotherCertificateIsMisdirected) {
  const auto shop = net::testing::make_certificate("shop.test");
  const auto other = net::testing::make_certificate("other.test");
  edge.proxy().set_certificates({{{"shop.test"}, shop.certificate, shop.key},
                                 {{"other.test"}, other.certificate, other.key}});
  edge.serve({app("shop", {dyno.backend("d1")}), app("other", {dyno.backend("d1")})});
  H2Client client(edge.https_port());
  auto fields = H2Client::get("/", "other.test");
  fields.emplace_back("user-agent", "a \"browser\"");
  client.request(1, fields);
  EXPECT_EQ(client.answer(1).status(), 421);
  EXPECT_THAT(edge.next_log(), HasSubstr("at=error code=H31 desc=\"Misdirected Request\" "
                                         "agent=\"a %22browser%22\" method=GET "));
  EXPECT_THAT(exchange(client, 3, H2Client::get()), HasSubstr("GET / ")) << "others go on";
}

TEST_F(H2Test, AResetEndsTheRequestAndLeavesNothingBehind) {
  H2Client client(edge.https_port());
  client.request(1, H2Client::get());
  auto at = dyno.accept();
  at.read_until("\r\n\r\n");
  client.send(h2::rst, 0, 1, std::string("\0\0\0\x08", 4));
  EXPECT_TRUE(at.closed_by_peer());
  EXPECT_THAT(edge.next_log(), HasSubstr("sock=client at=warning code=H33 "));
  EXPECT_THAT(exchange(client, 3, H2Client::get()), HasSubstr("GET / "));
}

// RFC 9113 5.1: what comes on a stream that the router has reset is processed as little as the
// connection's state demands, and then discarded: a client cannot know yet. Its HPACK counts.
TEST_F(H2Test, WhatComesOnAStreamThatWasAnsweredEarlyIsDiscarded) {
  H2Client client(edge.https_port());
  auto fields = H2Client::get("/", "nobody.test");
  fields[0].second = "POST";
  client.request(1, fields, false);
  EXPECT_EQ(client.answer(1).status(), 404);
  client.send(h2::rst, 0, 1, std::string("\0\0\0\x08", 4));
  const std::string indexed = "\x40\x06x-kept\x03yes";
  client.send(h2::headers, h2::end_headers | h2::end_stream, 1,
              H2Client::block(H2Client::get()) + indexed);
  client.send(h2::headers, h2::end_headers | h2::end_stream, 3,
              H2Client::block(H2Client::get("/next")) + "\xbe");
  auto at = dyno.accept();
  EXPECT_THAT(at.read_until("\r\n\r\n"),
              ::testing::AllOf(HasSubstr("GET /next "), HasSubstr("x-kept: yes\r\n")));
  at.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(client.answer(3).status(), 200);
  EXPECT_TRUE(dyno.nobody_comes()) << "the one on the closed stream is nobody's request";
}

TEST_F(H2Test, ADynoThatDiesInTheMiddleResetsTheStreamAlone) {
  H2Client client(edge.https_port());
  client.request(1, H2Client::get());
  auto at = dyno.accept();
  at.read_until("\r\n\r\n");
  at.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
  at.close();
  EXPECT_EQ(client.answer(1).reset, 2);
  EXPECT_THAT(edge.next_log(), HasSubstr("code=H18"));
  exchange(client, 3, H2Client::get());
}

TEST_F(H2Test, FloodsEndTheConnection) {
  {
    H2Client rapid(edge.https_port());
    rapid.gives_windows = false;
    const auto head = H2Client::block(H2Client::get("/", "nobody.test"));
    EXPECT_NO_THROW({
      try {
        for (std::uint32_t id = 1; id < 8001; id += 2) {
          rapid.send(h2::headers, h2::end_headers | h2::end_stream, id, head);
          rapid.send(h2::rst, 0, id, std::string("\0\0\0\x08", 4));
        }
      } catch (const std::exception&) {  // it has closed already
      }
    });
    EXPECT_NE(rapid.goaway(), 0);
  }
  {
    H2Client endless(edge.https_port());
    endless.gives_windows = false;
    EXPECT_NO_THROW({
      try {
        endless.send(h2::headers, h2::end_stream, 1, H2Client::block(H2Client::get()));
        for (int i = 0; i < 10'000; ++i) endless.send(h2::continuation, 0, 1, "");
      } catch (const std::exception&) {
      }
    });
    EXPECT_NE(endless.goaway(), 0);
  }
  {
    H2Client bomb(edge.https_port());
    bomb.gives_windows = false;
    auto fields = H2Client::get();
    for (int i = 0; i < 40; ++i)
      fields.emplace_back("x-" + std::to_string(i), std::string(2000, 'x'));
    const auto block = H2Client::block(fields);
    bomb.send(h2::headers, h2::end_stream, 1, std::string_view(block).substr(0, 16'000));
    for (std::size_t at = 16'000; at < block.size(); at += 16'000) {
      const bool last = at + 16'000 >= block.size();
      bomb.send(h2::continuation, last ? h2::end_headers : 0, 1,
                std::string_view(block).substr(at, 16'000));
    }
    const auto answered = [&] {
      try {
        return bomb.answer(1).status();
      } catch (const std::exception&) {
        return 431;  // or the whole connection was given up
      }
    };
    EXPECT_EQ(answered(), 431);
  }
  EXPECT_TRUE(dyno.nobody_comes());
}

TEST_F(H2Test, AnswersThatNobodyReadsAreNotGatheredWithoutEnd) {
  // PING and SETTINGS are each answered; a client that sends them and reads nothing is let go of.
  for (const bool ping : {true, false}) {
    H2Client flood(edge.https_port());
    flood.gives_windows = false;
    using namespace std::string_literals;
    const auto one = ping ? "\0\0\x08\x06\0\0\0\0\0"
                            "12345678"s
                          : "\0\0\0\x04\0\0\0\0\0"s;
    std::string many;
    for (int i = 0; i < 800; ++i) many += one;
    EXPECT_ANY_THROW({
      for (int i = 0; i < 5'000; ++i) flood.raw(many);
    });
  }
  H2Client client(edge.https_port());
  exchange(client, 1, H2Client::get());
}

TEST_F(H2Test, WhatIsNotHttp2IsCutOff) {
  TlsClient client(edge.https_port(), "shop.test", nullptr, "\x02h2");
  client.write("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
  while (!client.read_some().empty()) {
  }
  EXPECT_TRUE(dyno.nobody_comes());
}

TEST_F(H2Test, DrainingFinishesWhatIsUnderWay) {
  H2Client client(edge.https_port());
  client.request(1, H2Client::get());
  auto at = dyno.accept();
  at.read_until("\r\n\r\n");
  edge.begin_drain(Idle::may_ask_once_more, std::chrono::seconds(60));
  // The first notice leaves room for requests that are on their way.
  const auto notice = client.goaway();
  EXPECT_EQ(notice, 0);
  client.request(3, H2Client::get());
  auto second = dyno.accept();
  second.read_until("\r\n\r\n");
  second.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2");
  at.write("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1");
  EXPECT_EQ(client.answer(3).body, "2");
  EXPECT_EQ(client.answer(1).body, "1");
  edge.pass(limits().last_call);
  EXPECT_EQ(client.goaway(), 0);
  EXPECT_TRUE(edge.drained());
}

TEST_F(H2Test, AClientThatExpectsContinueIsToldTo) {
  H2Client client(edge.https_port());
  auto fields = H2Client::get();
  fields[0].second = "POST";
  fields.emplace_back("expect", "100-continue");
  client.request(1, fields, false);
  auto at = dyno.accept();
  EXPECT_THAT(at.read_until("\r\n\r\n"), Not(HasSubstr("xpect")));
  H2Frame frame;
  do frame = client.next();
  while (frame.type != h2::headers);
  EXPECT_EQ(frame.flags & h2::end_stream, 0);
  client.send(h2::data, h2::end_stream, 1, "x");
  EXPECT_EQ(at.read(11), "1\r\nx\r\n0\r\n\r\n");
}

TEST_F(H2Test, WaitsEnd) {
  H2Client client(edge.https_port());
  client.request(1, H2Client::get());
  auto at = dyno.accept();
  at.read_until("\r\n\r\n");
  edge.pass(Limits().first_byte);
  EXPECT_EQ(client.answer(1).status(), 503);
  EXPECT_THAT(edge.next_log(), HasSubstr("code=H12"));
  edge.pass(Limits().keep_alive);
  EXPECT_EQ(client.goaway(), -1);  // idle
}

}  // namespace
}  // namespace renga::router::testing
