// Every case of attack and error that the parser decides, as a table: what comes, and what it gets.
#include "http/parser.h"

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>

#include "http/chunked.h"

namespace renga::http {
namespace {

std::string get(const std::string& lines) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n";
}

struct Case {
  const char* name;
  std::string head;
  int status;  // 0: accepted
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

int verdict(const std::string& head, const Limits& limits = {}) {
  RequestParser parser(limits);
  const auto parsed = parser.parse(head);
  if (parsed.state == Parse::need_more) return -1;
  if (parsed.state == Parse::refused) {
    EXPECT_FALSE(parsed.reason.empty());
  }
  return parsed.state == Parse::complete ? 0 : status_of(parsed.flaw);
}

std::vector<Case> cases() {
  using namespace std::string_literals;
  const std::string big(65536, 'x');
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "X: y\r\n";
  return {
      {"plain", get(""), 0},
      {"content length and chunked", get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
       400},
      {"chunked and content length", get("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
       400},
      {"two different lengths", get("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
      {"two equal lengths", get("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
      {"list of different lengths", get("Content-Length: 2, 3\r\n"), 400},
      {"list of equal lengths", get("Content-Length: 2, 2\r\n"), 400},
      {"length with plus", get("Content-Length: +2\r\n"), 400},
      {"negative length", get("Content-Length: -1\r\n"), 400},
      {"hexadecimal length", get("Content-Length: 0x2\r\n"), 400},
      {"empty length", get("Content-Length:\r\n"), 400},
      {"blank length", get("Content-Length: \t \r\n"), 400},
      {"length over 2^63", get("Content-Length: 9223372036854775808\r\n"), 400},
      {"length of 40 digits", get("Content-Length: 1000000000000000000000000000000000000000\r\n"),
       400},
      {"length of 2^63-1", get("Content-Length: 9223372036854775807\r\n"), 0},
      {"unknown coding", get("Transfer-Encoding: xchunked\r\n"), 501},
      {"vertical tab before chunked", get("Transfer-Encoding: \vchunked\r\n"), 400},
      {"quoted coding", get("Transfer-Encoding: \"chunked\"\r\n"), 400},
      {"identity after chunked", get("Transfer-Encoding: chunked, identity\r\n"), 400},
      {"gzip and chunked", get("Transfer-Encoding: gzip, chunked\r\n"), 501},
      {"chunked twice", get("Transfer-Encoding: chunked, chunked\r\n"), 400},
      {"chunked twice in two lines",
       get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"empty coding", get("Transfer-Encoding:\r\n"), 400},
      {"chunked with a parameter", get("Transfer-Encoding: chunked;a=b\r\n"), 400},
      {"chunked in capitals", get("TRANSFER-ENCODING: Chunked\r\n"), 0},
      {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"space before the colon", get("X-A : b\r\n"), 400},
      {"space before the colon of a length", get("Content-Length : 5\r\n"), 400},
      {"space before the colon of a coding", get("Transfer-Encoding : chunked\r\n"), 400},
      {"folded line", get("X-A: b\r\n c\r\n"), 400},
      {"folded line with a tab", get("X-A: b\r\n\tc\r\n"), 400},
      {"blank before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
      {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
      {"bare LF after a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
      {"bare LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
      {"bare CR in a value", get("X-A: b\rc\r\n"), 400},
      {"CR CR LF", get("X-A: b\r\r\n"), 400},
      {"NUL in a value", get("X-A: b\0c\r\n"s), 400},
      {"control character in a value",
       get("X-A: b\x01"
           "c\r\n"),
       400},
      {"DEL in a value",
       get("X-A: b\x7f"
           "c\r\n"),
       400},
      {"tab and UTF-8 in a value", get("X-A: b\t\xc3\xa9\r\n"), 0},
      {"line without a colon", get("X-A\r\n"), 400},
      {"empty name", get(": b\r\n"), 400},
      {"at sign in a name", get("X@A: b\r\n"), 400},
      {"NUL in a name", get("X\0A: b\r\n"s), 400},
      {"UTF-8 in a name", get("X\xc3\xa9: b\r\n"), 400},
      {"no host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"no host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 0},
      {"two hosts", get("Host: b\r\n"), 400},
      {"two equal hosts", get("host: a\r\n"), 400},
      {"two hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400},
      {"host with user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
      {"host with path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"host with comma", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400},
      {"host with blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"host with a port that is none", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400},
      {"host with a port over 65535", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400},
      {"host with two ports", "GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", 400},
      {"host with port", "GET / HTTP/1.1\r\nHost: a.example:8080\r\n\r\n", 0},
      {"host of IPv6", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 0},
      {"host of broken IPv6", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
      {"absolute form", "GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n", 0},
      {"absolute form without host", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"absolute form with user", "GET http://u@b/x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"absolute form of another scheme", "GET ftp://b/x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 0},
      {"GET *", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"relative target", "GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"fragment", "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"tab as separator", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
      {"space ahead", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"UTF-8 in the target", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s, 400},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 0},
      {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"HTTP/0.9", "GET /\r\n\r\n", 400},
      {"HTTP/0.9 by name", "GET / HTTP/0.9\r\n\r\n", 400},
      {"HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400},
      {"version in small letters", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
      {"bad method character", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"method of 128 characters", std::string(128, 'A') + " / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"method of its own", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
      {"one empty line ahead", "\r\n" + get(""), 0},
      {"two empty lines ahead", "\r\n\r\n" + get(""), 400},
      {"bare LF ahead", "\n" + get(""), 400},
      {"underscore in a name", get("X_Forwarded_For: 1.2.3.4\r\n"), 0},
      {"field of 64 KiB", get("X: " + big + "\r\n"), 431},
      {"field of 8193 bytes", get("X: " + std::string(8190, 'x') + "\r\n"), 431},
      {"field of 8192 bytes", get("X: " + std::string(8189, 'x') + "\r\n"), 0},
      {"1001 fields", get(many), 431},
      {"name of 1001 bytes", get(std::string(1001, 'n') + ": x\r\n"), 431},
      {"name of 1000 bytes", get(std::string(1000, 'n') + ": x\r\n"), 0},
      {"target of 64 KiB", "GET /" + big + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {"request line of 8193 bytes",
       "GET /" + std::string(8179, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {"request line of 8192 bytes",
       "GET /" + std::string(8178, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", 0},
      {"64 KiB of nothing like HTTP", big, 400},
      {"TLS to a plain port", "\x16\x03\x01\x02\r\n", 400},
  };
}

class Requests : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Parser, Requests, testing::ValuesIn(cases()),
                         [](const auto& one) { return std::to_string(one.index); });

TEST_P(Requests, GetTheirAnswer) { EXPECT_EQ(verdict(GetParam().head), GetParam().status); }

std::string description(const RequestHead& head) {
  std::string text;
  for (const auto part : {head.method, head.target, head.host}) text += std::string(part) + "|";
  for (const auto& field : head.fields) {
    text += std::string(field.name) + "=" + std::string(field.value) + "|";
  }
  text += std::to_string(head.minor) + std::to_string(static_cast<int>(head.framing.body)) +
          std::to_string(head.framing.length) + std::to_string(head.keep_alive) +
          std::to_string(static_cast<int>(head.expect)) + std::to_string(head.upgrade) +
          std::to_string(head.size);
  return text;
}

// A parse in pieces, each call with a buffer at a new address, and the old one gone.
template <class Parser, class Call>
Parsed in_pieces(Parser& parser, const std::string& whole, const std::vector<std::size_t>& cuts,
                 std::unique_ptr<std::string>& buffer, Call call) {
  for (const auto cut : cuts) {
    auto moved = std::make_unique<std::string>(whole.substr(0, cut));
    moved->shrink_to_fit();
    const auto parsed = call(parser, *moved);
    buffer = std::move(moved);
    if (parsed.state != Parse::need_more) return parsed;
  }
  ADD_FAILURE() << "never complete";
  return {};
}

TEST_P(Requests, ParseTheSameCutAnywhere) {
  const auto& head = GetParam().head;
  const auto parse = [](RequestParser& parser, const std::string& text) {
    return parser.parse(text);
  };
  RequestParser whole;
  const auto expected = whole.parse(head);

  std::vector<std::vector<std::size_t>> ways;
  if (head.size() < 300) {
    std::vector<std::size_t> every;
    for (std::size_t cut = 0; cut <= head.size(); ++cut) {
      ways.push_back({cut, head.size()});
      every.push_back(cut);
    }
    ways.push_back(every);
  } else {
    for (std::size_t cut = 1; cut < head.size(); cut += head.size() / 97) {
      ways.push_back({cut, head.size()});
    }
  }
  RequestParser parser;
  for (const auto& cuts : ways) {
    parser.reset();
    std::unique_ptr<std::string> buffer;
    const auto parsed = in_pieces(parser, head, cuts, buffer, parse);
    ASSERT_EQ(parsed.state, expected.state);
    if (parsed.state == Parse::refused) {
      ASSERT_EQ(status_of(parsed.flaw), status_of(expected.flaw));
    } else {
      ASSERT_EQ(description(parser.head()), description(whole.head()));
    }
  }
}

TEST(RequestParser, ReadsAHead) {
  RequestParser parser;
  const std::string text =
      "POST /a?b=1 HTTP/1.1\r\nHost: shop.example:8080\r\nContent-Length: 12\r\n"
      "connection: Keep-Alive, Upgrade\r\nUpgrade: websocket\r\nExpect: 100-Continue\r\n"
      "X-Empty:\r\n\r\nbody and more";
  ASSERT_EQ(parser.parse(text).state, Parse::complete);
  const auto& head = parser.head();
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/a?b=1");
  EXPECT_EQ(head.host, "shop.example:8080");
  EXPECT_EQ(without_port(head.host), "shop.example");
  EXPECT_EQ(head.framing.body, Body::length);
  EXPECT_EQ(head.framing.length, 12U);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_TRUE(head.upgrade);
  EXPECT_EQ(head.expect, Expect::continue_100);
  EXPECT_EQ(text.substr(head.size), "body and more");
  ASSERT_NE(find_field(head.fields, "x-empty"), nullptr);
  EXPECT_EQ(find_field(head.fields, "x-empty")->value, "");
}

TEST(RequestParser, NotesWhichFieldsThereAreAndHowTheyAreWritten) {
  RequestParser parser;
  const auto plain = [&](const std::string& lines) {
    parser.reset();
    EXPECT_EQ(parser.parse("GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n").state,
              Parse::complete);
    return parser.head().notes.plain;
  };
  EXPECT_TRUE(plain("A: 1\r\nX-Request-ID: 2\r\nEmpty: \r\nDate: now, and then\r\n"));
  const auto& head = parser.head();
  EXPECT_EQ(head.notes.at, (std::vector<std::uint16_t>{0, 2, 4}));
  EXPECT_TRUE(head.notes.known.has(Known::host) && head.notes.known.has(Known::date));
  EXPECT_FALSE(head.notes.known.has(Known::via));
  EXPECT_EQ(find_field(head, Known::x_request_id), &head.fields[2]);
  EXPECT_EQ(find_field(head, Known::via), nullptr);
  for (const auto* line : {"A:1", "A:  1", "A:\t1", "A: 1 ", "A: 1\t", "A:", "A:  ", "A: \t"}) {
    EXPECT_FALSE(plain(std::string(line) + "\r\n")) << line;
  }
  EXPECT_TRUE(plain("")) << "a parser that is used again has forgotten the head before";
}

TEST(RequestParser, PrefersTheHostOfAnAbsoluteTarget) {
  RequestParser parser;
  ASSERT_EQ(parser.parse("GET HTTP://b.example:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n").state,
            Parse::complete);
  EXPECT_EQ(parser.head().host, "b.example:81");
  EXPECT_EQ(parser.head().target, "/x?y");
  parser.reset();
  ASSERT_EQ(parser.parse("GET http://b HTTP/1.1\r\nHost: a\r\n\r\n").state, Parse::complete);
  EXPECT_EQ(parser.head().target, "/");
}

TEST(RequestParser, KnowsWhetherTheConnectionStays) {
  const auto keeps = [](const std::string& head) {
    RequestParser parser;
    EXPECT_EQ(parser.parse(head).state, Parse::complete);
    return parser.head().keep_alive;
  };
  EXPECT_TRUE(keeps(get("")));
  EXPECT_FALSE(keeps(get("Connection: close\r\n")));
  EXPECT_FALSE(keeps(get("Connection: keep-alive\r\nConnection: x, Close\r\n")));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(RequestParser, KnowsAnExpectationItCannotMeet) {
  RequestParser parser;
  ASSERT_EQ(parser.parse(get("Expect: the unexpected\r\n")).state, Parse::complete);
  EXPECT_EQ(parser.head().expect, Expect::unknown);
}

TEST(RequestParser, HoldsTheHeadToItsLimit) {
  Limits limits;
  limits.head = 100;
  const auto head = get("X: " + std::string(100 - get("X: \r\n").size(), 'x') + "\r\n");
  ASSERT_EQ(head.size(), 100U);
  EXPECT_EQ(verdict(head, limits), 0);
  EXPECT_EQ(verdict(get("X: " + std::string(101 - get("X: \r\n").size(), 'x') + "\r\n"), limits),
            431);
  EXPECT_EQ(verdict(get("").substr(0, 20) + std::string(90, 'x'), limits), 431);
}

// ---- responses ----

struct Answer {
  Parsed parsed;
  ResponseHead head;
};

Answer answer(const std::string& text, const char* method = "GET") {
  ResponseParser parser;
  const auto parsed = parser.parse(text, method);
  auto head = parser.head();
  head.fields.clear();
  head.reason = {};
  return {parsed, head};
}

TEST(ResponseParser, DecidesHowTheBodyEnds) {
  const auto body = [](const std::string& text, const char* method = "GET") {
    const auto got = answer(text, method);
    EXPECT_EQ(got.parsed.state, Parse::complete);
    return got.head.framing.body;
  };
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  EXPECT_EQ(body(ok + "Content-Length: 3\r\n\r\n"), Body::length);
  EXPECT_EQ(body(ok + "Content-Length: 0\r\n\r\n"), Body::none);
  EXPECT_EQ(body(ok + "Transfer-Encoding: chunked\r\n\r\n"), Body::chunked);
  EXPECT_EQ(body(ok + "\r\n"), Body::until_close);
  EXPECT_EQ(body(ok + "Content-Length: 3\r\n\r\n", "HEAD"), Body::none);
  EXPECT_EQ(body("HTTP/1.1 204 No Content\r\n\r\n"), Body::none);
  EXPECT_EQ(body("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n"), Body::none);
  EXPECT_EQ(body("HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n"), Body::none);
  EXPECT_EQ(body("HTTP/1.1 101 Switching Protocols\r\n\r\n"), Body::none);
  EXPECT_EQ(body("HTTP/1.0 200 \r\n\r\n"), Body::until_close);
}

TEST(ResponseParser, DoesNotTrustAConnectionWithTwoLengths) {
  const auto both =
      answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(both.head.framing.body, Body::chunked);
  EXPECT_TRUE(both.head.conflicting_lengths);
  EXPECT_FALSE(both.head.keep_alive);
  EXPECT_FALSE(answer("HTTP/1.1 200 OK\r\n\r\n").head.keep_alive);
  EXPECT_FALSE(answer("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n").head.keep_alive);
  EXPECT_FALSE(
      answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\n").head.keep_alive);
  EXPECT_TRUE(answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n").head.keep_alive);
}

TEST(ResponseParser, RefusesWhatCouldBeReadInTwoWays) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const auto& text : {
           std::string("HTTP/1.1 200\r\n\r\n"),
           std::string("HTTP/2.0 200 OK\r\n\r\n"),
           std::string("HTTP/1.1  200 OK\r\n\r\n"),
           std::string("HTTP/1.1 20 OK\r\n\r\n"),
           std::string("HTTP/1.1 2000 OK\r\n\r\n"),
           std::string("HTTP/1.1 099 OK\r\n\r\n"),
           std::string("ICY 200 OK\r\n\r\n"),
           std::string("\r\nHTTP/1.1 200 OK\r\n\r\n"),
           std::string("HTTP/1.1 200 O\x01K\r\n\r\n"),
           std::string("HTTP/1.1 200 OK\n\r\n"),
           ok + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n",
           ok + "Content-Length: x\r\n\r\n",
           ok + "Transfer-Encoding: gzip\r\n\r\n",
           ok + "X: a\r\n b\r\n\r\n",
           ok + "X: a\rb\r\n\r\n",
           ok + std::string("X: a\0b\r\n\r\n", 10),
           ok + "X : a\r\n\r\n",
           ok + "Set-Cookie: " + std::string(8193, 'c') + "\r\n\r\n",
           ok + "X: " + std::string(512 * 1024, 'x') + "\r\n\r\n",
       }) {
    EXPECT_EQ(answer(text).parsed.state, Parse::refused) << text.substr(0, 60);
  }
  EXPECT_EQ(answer(ok + "Set-Cookie: " + std::string(8193, 'c') + "\r\n\r\n").parsed.flaw,
            Flaw::cookie_too_large);
}

TEST(ResponseParser, ParsesTheSameCutAnywhere) {
  const std::string text = "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nX-A: b\r\n\r\nabc";
  ResponseParser parser;
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    parser.reset();
    std::unique_ptr<std::string> buffer;
    const auto parsed =
        in_pieces(parser, text, {cut, text.size()}, buffer,
                  [](ResponseParser& p, const std::string& t) { return p.parse(t, "GET"); });
    ASSERT_EQ(parsed.state, Parse::complete);
    EXPECT_EQ(parser.head().status, 404);
    EXPECT_EQ(parser.head().reason, "Not Found");
    EXPECT_EQ(parser.head().fields.at(1).value, "b");
    EXPECT_EQ(parser.head().size, text.size() - 3);
  }
}

}  // namespace
}  // namespace renga::http
