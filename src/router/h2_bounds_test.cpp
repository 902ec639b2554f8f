// What one HTTP/2 client may cost: connections that nothing would end, frames that nobody reads,
// streams that are reset by what is wrong with them, and heads larger than a frame.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/testing/certificate.h"
#include "router/testing/edge.h"
#include "router/testing/h2_client.h"

namespace renga::router::testing {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class H2BoundsTest : public ::testing::Test {
 protected:
  H2BoundsTest() {
    edge.serve({dyno.backend("d1")});
    const auto made = net::testing::make_certificate("shop.test");
    edge.proxy().set_certificates({{{"shop.test"}, made.certificate, made.key}});
  }
  Wire carried(H2Client& client, std::uint32_t stream) {
    client.request(stream, H2Client::get());
    auto connection = dyno.accept();
    connection.read_until("\r\n\r\n");
    return connection;
  }
  // Sends whatever the other side takes, until that has taken nothing for a while.
  static std::size_t send_until_full(int socket, const std::string& piece, std::size_t most) {
    net::set_blocking(socket, false);
    std::size_t sent = 0;
    for (int full = 0; full < 20 && sent < most;) {
      const auto count = ::send(socket, piece.data(), piece.size(), MSG_NOSIGNAL);
      if (count > 0) {
        sent += static_cast<std::size_t>(count);
        full = 0;
      } else {
        ++full;
        ::usleep(5'000);
      }
    }
    net::set_blocking(socket, true);
    return sent;
  }
  Upstream dyno;
  Edge edge;
};

TEST_F(H2BoundsTest, AHeadThatIsNeverWholeKeepsNoConnection) {
  H2Client client(edge.https_port());
  client.gives_windows = false;  // no other frame may come within a head
  auto at = carried(client, 1);
  client.send(h2::headers, h2::end_stream, 3, H2Client::block(H2Client::get()));
  at.write(ok);
  EXPECT_EQ(client.answer(1).body, "ok");
  edge.pass(Limits().keep_alive);
  EXPECT_EQ(client.goaway(), -1);
}

TEST_F(H2BoundsTest, AClientThatTakesNothingKeepsNoConnection) {
  H2Client client(edge.https_port());
  client.send(h2::settings, 0, 0, "\0\4\x7f\xff\xff\xff"s);
  client.send(h2::window, 0, 0, "\x7f\xff\0\0"s);
  auto at = carried(client, 1);
  at.write("HTTP/1.1 200 OK\r\nContent-Length: 4000000000\r\n\r\n");
  EXPECT_LT(send_until_full(at.fd(), std::string(64 * 1024, 'x'), 256U << 20), 64U << 20);
  edge.pass(Limits().idle);
  EXPECT_THAT(edge.next_log(), HasSubstr("status=499"));
  at.read_all();
  client.gives_windows = false;
  EXPECT_EQ(client.goaway(), -1);
}

TEST_F(H2BoundsTest, WhatIsWrongWithStreamsEndsTheConnectionWhenItIsTooOften) {
  H2Client client(edge.https_port());
  client.gives_windows = false;
  auto fields = H2Client::get();
  fields.emplace_back("X-Upper", "1");
  const auto head = H2Client::block(fields);
  std::uint32_t id = 1;
  const auto wrong = [&](int count) {
    for (; count > 0; --count, id += 2) {
      client.send(h2::headers, h2::end_headers | h2::end_stream, id, head);
      EXPECT_EQ(client.answer(id).reset, 1);
    }
  };
  wrong(400);
  edge.pass(std::chrono::seconds(10));
  wrong(400);  // so many are nobody's attack
  EXPECT_THROW(wrong(400), std::exception);
  EXPECT_TRUE(dyno.nobody_comes());
}

TEST_F(H2BoundsTest, AClientThatReadsNoResetsIsNotReadEither) {
  H2Client client(edge.https_port());
  auto fields = H2Client::get();
  fields.emplace_back("X-Upper", "1");
  const auto head = H2Client::block(fields);
  std::string many;
  // A stream's error each; those that are over the number it may have open, too.
  EXPECT_ANY_THROW({
    for (std::uint32_t id = 1; id < 2'000'000; id += 2) {
      client.send(h2::headers, h2::end_headers | h2::end_stream, id, head);
    }
  });
}

TEST_F(H2BoundsTest, ALargeResponseHeadWithinTheLimitsPasses) {
  H2Client client(edge.https_port());
  auto at = carried(client, 1);
  std::string lines;
  for (int i = 0; i < 100; ++i) {
    lines += "X-" + std::to_string(i) + ": " + std::string(5'000, 'x') + "\r\n";
  }
  at.write("HTTP/1.1 200 OK\r\n" + lines + "Content-Length: 2\r\n\r\nok");
  const auto answer = client.answer(1);
  EXPECT_EQ(answer.body, "ok");
  EXPECT_EQ(answer.fields.at("x-99").size(), 5'000U);
}

}  // namespace
}  // namespace renga::router::testing
