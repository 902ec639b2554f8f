// The one HTTP/1.x parser: strict, incremental, without allocation per field. The API's server and
// the router both stand on it. What it refuses, and with which status, is the table in
// parser_test.cpp.
//
// Heads are parsed out of the caller's buffer, and everything found is a view into it. While a head
// is not complete the caller keeps its bytes, appends what comes and calls again; the bytes may
// have moved meanwhile. A parser belongs to one thread and is used again after reset().
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "http/known_name.h"

namespace renga::http {

// In bytes. Lines are counted without their CRLF, a head with everything.
struct Limits {
  std::size_t first_line = 8192;
  std::size_t line = 8192;
  std::size_t name = 1000;
  std::size_t count = 1000;  // fields
  std::size_t head = 64 * 1024;
  std::size_t set_cookie = std::numeric_limits<std::size_t>::max();  // one Set-Cookie line's value

  static Limits of_request() { return {}; }
  static Limits of_response() { return {8192, 512 * 1024, 1000, 1000, 1024 * 1024, 8192}; }
};

enum class Parse { need_more, complete, refused };

// Why a message was refused; the router picks its H-code by it.
enum class Flaw {
  none,
  malformed,           // 400
  bad_length,          // 400: framing that could be read in two ways
  method_not_allowed,  // 405: CONNECT
  target_too_long,     // 414
  header_too_large,    // 431
  cookie_too_large,    // 431; only where Limits::set_cookie says so
  coding_unsupported,  // 501
  version_unsupported  // 505
};

// 400, 405, 414, 431, 501 or 505. After any of them the connection must be closed.
int status_of(Flaw flaw);

// `reason` is a sentence for whoever sent the message, and static text.
struct Parsed {
  Parse state = Parse::need_more;
  Flaw flaw = Flaw::none;
  std::string_view reason;
};

struct Field {
  std::string_view name;   // as sent
  std::string_view value;  // without the blanks around it
  Known known = Known::other;
};

// What the parser has noticed of a head's fields, so that others need not go through them all.
struct FieldNotes {
  KnownSet known;                 // those that are among them
  std::vector<std::uint16_t> at;  // and where, in their order
  // Every line is "Name: value", with one blank ahead of the value and none behind it: as somebody
  // would write them who has only the fields. They lie one behind the other anyway.
  bool plain = false;

  void reset() {
    known = {};
    at.clear();
    plain = true;
  }
};

enum class Body { none, length, chunked, until_close };

struct Framing {
  Body body = Body::none;
  std::uint64_t length = 0;  // of Body::length
};

enum class Expect { nothing, continue_100, unknown };  // unknown: answer 417

struct RequestHead {
  std::string_view method;
  std::string_view target;  // origin-form, also when it was sent in absolute-form; or "*"
  std::string_view host;    // host[:port] of an absolute-form target, else of Host; may be empty
  int minor = 1;            // HTTP/1.0 or, for anything later, HTTP/1.1
  std::vector<Field> fields;
  FieldNotes notes;
  Framing framing;  // none, length or chunked
  bool keep_alive = true;
  Expect expect = Expect::nothing;
  bool upgrade = false;  // Connection nominates Upgrade, and there is an Upgrade field
  std::size_t size = 0;  // bytes in the buffer, an empty line ahead of the head included
};

struct ResponseHead {
  int status = 0;
  std::string_view reason;
  int minor = 1;
  std::vector<Field> fields;
  FieldNotes notes;
  Framing framing;         // as RFC 9112 6.3 decides from status and request method
  bool keep_alive = true;  // false: do not use this connection again
  // Transfer-Encoding and Content-Length both: the former counts, the latter must not be passed on.
  bool conflicting_lengths = false;
  std::size_t size = 0;
};

namespace detail {

// Cuts a head into lines and remembers where it was.
class HeadLines {
 public:
  struct Line {
    Parsed parsed;  // `complete`: there is a line, without its CRLF
    std::string_view text;
  };
  void reset() { start_ = scanned_ = 0; }
  Line next(std::string_view buffer, std::size_t line_limit, std::size_t head_limit);
  // Takes fields while their lines are here as a whole and as they must be, as nearly all are;
  // next() has the line that is not, or the empty one.
  void take_fields(std::string_view buffer, const Limits& limits, std::vector<Field>& fields,
                   FieldNotes& notes);
  std::size_t position() const { return start_; }  // of the first byte not taken yet

 private:
  std::size_t start_ = 0;
  std::size_t scanned_ = 0;  // no line ends before here
};

}  // namespace detail

class RequestParser {
 public:
  explicit RequestParser(const Limits& limits = Limits::of_request()) : limits_(limits) { reset(); }

  // `buffer` starts with the head's first byte; bytes behind the head are left alone.
  Parsed parse(std::string_view buffer);
  // Whole once parse() said complete. After a refusal it holds what was understood until then, for
  // a log line; the views need the buffer of the last call.
  const RequestHead& head() const { return head_; }
  void reset();

 private:
  Parsed request_line(std::string_view line);
  Parsed finish();
  void rebase(std::string_view buffer);

  Limits limits_;
  RequestHead head_;
  detail::HeadLines lines_;
  const char* base_ = nullptr;
  bool in_fields_ = false;
  bool skipped_empty_line_ = false;
  bool absolute_form_ = false;
};

class ResponseParser {
 public:
  explicit ResponseParser(const Limits& limits = Limits::of_response()) : limits_(limits) {
    reset();
  }

  // `request_method` decides whether there is a body: HEAD has none.
  Parsed parse(std::string_view buffer, std::string_view request_method);
  const ResponseHead& head() const { return head_; }
  void reset();

 private:
  Parsed status_line(std::string_view line);
  Parsed finish(std::string_view request_method);
  void rebase(std::string_view buffer);

  Limits limits_;
  ResponseHead head_;
  detail::HeadLines lines_;
  const char* base_ = nullptr;
  bool in_fields_ = false;
};

// Helpers for both sides.
bool is_token(std::string_view text);
// Without regard to case; `lower_case` must be that.
bool same_name(std::string_view name, std::string_view lower_case);
const Field* find_field(const std::vector<Field>& fields, std::string_view lower_case);
template <class Head>
const Field* find_field(const Head& head, Known known) {
  if (!head.notes.known.has(known)) return nullptr;
  for (const auto at : head.notes.at) {
    if (head.fields[at].known == known) return &head.fields[at];
  }
  return nullptr;
}
// Whether a comma-separated list (Connection, Upgrade) has this member; parameters do not count.
bool list_has(std::string_view list, std::string_view lower_case);
// "example.com:8080" and "[::1]:8080" without the port.
std::string_view without_port(std::string_view host);

}  // namespace renga::http
