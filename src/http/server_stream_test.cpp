// Bodies and answers that are streamed, and clients that leave in the middle of them.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

#include "base/locked.h"
#include "http/testing/raw_client.h"
#include "http/testing/test_server.h"

namespace renga::http {
namespace {

using std::chrono::milliseconds;
using testing::RawClient;
using Over = RawClient::Over;

const std::string get = "GET /tail HTTP/1.1\r\nHost: a\r\n\r\n";

class StreamTest : public ::testing::Test {
 protected:
  testing::TestServer test;
  std::promise<std::shared_ptr<ResponseStream>> given;

  // A route whose handler leaves its stream to the test and returns at once.
  void keep_stream() {
    test.route("/tail", [this](Request&) {
      Response response;
      response.stream = [this](auto stream) { given.set_value(std::move(stream)); };
      return response;
    });
  }
  std::shared_ptr<ResponseStream> stream() { return given.get_future().get(); }
};

TEST_F(StreamTest, WritesAnAnswerOverTimeFromAnyThread) {
  keep_stream();
  for (const auto over : {Over::plain, Over::tls}) {
    given = {};
    RawClient client(test.server ? test.server->address() : test.start(), over);
    client.send(get);
    auto out = stream();
    EXPECT_NE(client.read_until("\r\n\r\n").find("Transfer-Encoding: chunked"), std::string::npos);
    EXPECT_TRUE(out->write("one\n"));
    EXPECT_EQ(client.read_until("one\n\r\n"), "4\r\none\n\r\n");
    std::thread([&] { EXPECT_TRUE(out->try_write("two\n")); }).join();
    EXPECT_EQ(client.read_until("two\n\r\n"), "4\r\ntwo\n\r\n");
    EXPECT_TRUE(out->open());
    out.reset();  // the last reference ends it
    EXPECT_EQ(client.read_until("\r\n\r\n"), "0\r\n\r\n");
    given = {};
    client.send(get);  // and the connection is kept
    stream()->finish();
    EXPECT_TRUE(client.answer().whole);
  }
}

TEST_F(StreamTest, TellsWhenTheClientLeft) {
  keep_stream();
  RawClient client(test.start());
  client.send(get);
  const auto out = stream();
  std::promise<void> closed;
  out->on_closed([&] { closed.set_value(); });
  client.close();
  closed.get_future().wait();
  EXPECT_FALSE(out->open());
  EXPECT_FALSE(out->write("x"));
  EXPECT_FALSE(out->try_write("x"));
  std::promise<void> late;
  out->on_closed([&] { late.set_value(); });
  late.get_future().wait();
}

TEST_F(StreamTest, OutlivesTheServer) {
  keep_stream();
  RawClient client(test.start());
  client.send(get);
  const auto out = stream();
  std::atomic<int> closed = 0;
  out->on_closed([&] { ++closed; });
  test.server.reset();
  EXPECT_EQ(closed, 1);
  EXPECT_FALSE(out->write("x"));
  out->on_closed([&] { ++closed; });
  EXPECT_EQ(closed, 2);
  out->finish();
}

TEST_F(StreamTest, HoldsAWriterBackUntilTheClientReads) {
  std::atomic<std::size_t> written = 0;
  std::promise<void> full;
  test.route("/tail", [&](Request&) {
    Response response;
    response.stream = [&](std::shared_ptr<ResponseStream> out) {
      const std::string piece(64 * 1024, 'x');
      for (int i = 0; i < 1024; ++i) {
        if (i == 512) full.set_value();  // a million times 32 does not fit into any buffer
        if (!out->write(piece)) return;
        written += piece.size();
      }
    };
    return response;
  });
  for (const auto over : {Over::plain, Over::tls}) {
    full = {};
    written = 0;
    RawClient client(test.server ? test.server->address() : test.start(), over);
    client.send(get);
    auto half = full.get_future();
    EXPECT_EQ(half.wait_for(milliseconds(100)), std::future_status::timeout);
    EXPECT_LT(written, 32U * 1024 * 1024);
    const auto answer = client.answer();
    EXPECT_TRUE(answer.whole);
    EXPECT_EQ(answer.body.size(), 64U * 1024 * 1024);
  }
}

TEST_F(StreamTest, NeverWaitsInTryWrite) {
  keep_stream();
  RawClient client(test.start());
  client.send(get);
  const auto out = stream();
  const std::string piece(64 * 1024, 'x');
  int taken = 0;
  while (taken < 10'000 && out->try_write(piece)) ++taken;
  EXPECT_LT(taken, 10'000);
  EXPECT_TRUE(out->open());
  out->finish();
  EXPECT_EQ(client.answer().body.size(), static_cast<std::size_t>(taken) * piece.size());
}

TEST_F(StreamTest, GivesUpAClientThatTakesNothing) {
  test.limits.send = milliseconds(50);
  std::promise<bool> result;
  test.route("/tail", [&](Request&) {
    Response response;
    response.stream = [&](std::shared_ptr<ResponseStream> out) {
      const std::string piece(64 * 1024, 'x');
      int i = 0;
      while (i < 4096 && out->write(piece)) ++i;
      result.set_value(i < 4096);
    };
    return response;
  });
  RawClient client(test.start());
  client.send(get);
  EXPECT_TRUE(result.get_future().get());
}

TEST_F(StreamTest, CutsAnAnswerThatFailsHalfWay) {
  test.route("/tail", [&](Request&) {
    Response response;
    response.stream = [&](std::shared_ptr<ResponseStream> out) {
      out->write("half");
      throw std::runtime_error("no more");
    };
    return response;
  });
  RawClient client(test.start());
  const auto answer = client.ask(get);
  EXPECT_FALSE(answer.whole);
}

TEST_F(StreamTest, ClosesInsteadOfChunkingForHttp10AndSendsNoBodyToHead) {
  test.route("/tail", [&](Request&) {
    Response response;
    response.stream = [&](std::shared_ptr<ResponseStream> out) { out->write("hello"); };
    return response;
  });
  const auto address = test.start();
  RawClient old(address);
  old.send("GET /tail HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const auto text = old.read_to_end();
  EXPECT_EQ(text.find("chunked"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\r\n\r\nhello"));
  RawClient head(address);
  EXPECT_EQ(head.ask("HEAD /tail HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD").status, 200);
  EXPECT_EQ(head.ask(get).body, "hello");
}

// ---- bodies ----

std::string post(std::size_t length) {
  return "POST /push HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

Response count(BodyReader& body) {
  std::size_t total = 0;
  for (auto piece = body.read(); !piece.empty(); piece = body.read()) total += piece.size();
  Response response;
  response.body = std::to_string(total);
  return response;
}

TEST_F(StreamTest, ReadsABodyOfAnySize) {
  test.streamed("/push", [](Request& r) { return count(*r.stream); });
  const auto address = test.start();
  const std::string piece(1 << 20, 'x');
  for (const auto over : {Over::plain, Over::tls}) {
    RawClient client(address, over);
    client.send(post(piece.size() * 32));
    for (int i = 0; i < 32; ++i) ASSERT_TRUE(client.send(piece));
    EXPECT_EQ(client.answer().body, std::to_string(piece.size() * 32));
    client.send("POST /push HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 8; ++i) ASSERT_TRUE(client.send("100000\r\n" + piece + "\r\n"));
    EXPECT_EQ(client.ask("0\r\n\r\n").body, std::to_string(piece.size() * 8));
    EXPECT_EQ(client.ask(post(0)).body, "0");
  }
}

TEST_F(StreamTest, HoldsASenderBackUntilTheHandlerReads) {
  std::promise<void> read_on;
  test.streamed("/push", [&](Request& r) {
    read_on.get_future().wait();
    return count(*r.stream);
  });
  RawClient client(test.start());
  constexpr std::size_t size = 64 << 20;
  std::atomic<bool> all_sent = false;
  std::thread sender([&] {
    client.send(post(size));
    const std::string piece(1 << 20, 'x');
    for (std::size_t sent = 0; sent < size; sent += piece.size()) client.send(piece);
    all_sent = true;
  });
  std::this_thread::sleep_for(
      milliseconds(100));  // to see that nothing happens, not to wait for it
  EXPECT_FALSE(all_sent);
  read_on.set_value();
  EXPECT_EQ(client.answer().body, std::to_string(size));
  sender.join();
}

TEST_F(StreamTest, TellsTheReaderThatItsClientLeft) {
  std::promise<std::string> error;
  test.streamed("/push", [&](Request& r) {
    try {
      return count(*r.stream);
    } catch (const std::runtime_error& thrown) {
      error.set_value(thrown.what());
      throw;
    }
  });
  const auto address = test.start();
  {
    RawClient client(address);
    client.send(post(1000) + "abc");
  }
  EXPECT_NE(error.get_future().get(), "");
  error = {};
  RawClient malformed(address);
  EXPECT_EQ(
      malformed
          .ask("POST /push HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n")
          .status,
      400);
  EXPECT_NE(error.get_future().get(), "");
}

TEST_F(StreamTest, StreamsBothWaysAtOnce) {
  test.streamed("/push", [](Request& r) {
    Response response;
    response.stream = [body = r.stream](std::shared_ptr<ResponseStream> out) {
      for (auto piece = body->read(); !piece.empty(); piece = body->read()) out->write(piece);
    };
    return response;
  });
  RawClient client(test.start(), Over::tls);
  client.send(
      "POST /push HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: "
      "100-continue\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.read_until("\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    client.send("4\r\nping\r\n");
    EXPECT_EQ(client.read_until("ping\r\n"), "4\r\nping\r\n");
  }
  client.send("0\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "0\r\n\r\n");
}

TEST_F(StreamTest, KeepsTheConnectionWhenTheUnreadRestIsSmallAndClosesWhenItIsNot) {
  test.streamed("/push", [](Request&) {
    Response response;
    response.status = 401;
    return response;
  });
  RawClient client(test.start());
  const auto small = client.ask(post(1000));
  EXPECT_EQ(small.status, 401);
  EXPECT_EQ(small.head.find("close"), std::string::npos);
  EXPECT_EQ(client.ask(std::string(1000, 'x') + post(4)).status, 401);
  const auto large = client.ask("1234" + post(10 << 20));
  EXPECT_EQ(large.status, 401);
  EXPECT_NE(large.head.find("Connection: close"), std::string::npos);
}

}  // namespace
}  // namespace renga::http
