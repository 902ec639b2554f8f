// The rules, in the order in which they are asked for every field: what frames the message or
// belongs to this one connection is written by the router itself, but for Content-Length and
// Upgrade, which it checks and copies; what tells the dyno where a request came from is the
// router's word, so the client's is dropped, under any spelling that a CGI-like server would take
// for the same name; what Connection nominates goes; the rest is copied as it came, in its order.
#include "router/forwarding.h"

#include <algorithm>

#include "base/text.h"
#include "http/field_name.h"
#include "router/text_writer.h"

namespace renga::router {

namespace {

using http::Known;
using http::KnownSet;
using http::named;

// What belongs to this one connection; the router says itself what is true of the next.
constexpr KnownSet of_the_connection = {
    Known::connection, Known::http2_settings, Known::keep_alive,        Known::proxy_connection,
    Known::te,         Known::trailer,        Known::transfer_encoding,
};
// And what a client must not tell a dyno: the router has its own word for it, or has answered it.
// Of `proxy` CGI makes HTTP_PROXY ("httpoxy").
constexpr KnownSet not_for_dynos = of_the_connection.with({
    Known::alias,
    Known::expect,
    Known::host,
    Known::proxy,
    Known::proxy_authorization,
    Known::x_forwarded_for,
    Known::x_forwarded_port,
    Known::x_forwarded_proto,
    Known::x_request_id,
    Known::x_request_start,
});
// Where they are passed on at all nobody can take them away by naming them.
constexpr KnownSet checked = {Known::content_length, Known::upgrade};

bool nominates(std::string_view connection, std::string_view name) {
  while (true) {
    const auto comma = connection.find(',');
    if (text::equals_ignoring_case(text::trim(connection.substr(0, comma)), name)) return true;
    if (comma == std::string_view::npos) return false;
    connection.remove_prefix(comma + 1);
  }
}

// Whether any Connection line nominates this field. Those that say who is asking are not given up.
template <class Head>
class Nominations {
 public:
  explicit Nominations(const Head& head) : fields_(head.fields) {
    if (!head.notes.known.has(Known::connection)) return;
    for (const auto& field : fields_) {
      if (field.known != Known::connection) continue;
      // Nearly all there are; they nominate nothing that would be copied.
      any_ = any_ || !(named<"keep-alive">(field.value) || named<"close">(field.value) ||
                       named<"upgrade">(field.value));
    }
  }
  bool any() const { return any_; }
  bool has(std::string_view name) const { return any_ && is_listed(name); }

 private:
  [[gnu::cold]] bool is_listed(std::string_view name) const {
    if (name.size() > 12 && named<"x-forwarded-">(name.substr(0, 12))) return false;
    if (named<"via">(name)) return false;
    return std::any_of(fields_.begin(), fields_.end(), [&](const http::Field& field) {
      return field.known == Known::connection && nominates(field.value, name);
    });
  }

  const std::vector<http::Field>& fields_;
  bool any_ = false;
};

void write_field(TextWriter& out, std::string_view name, std::string_view value) {
  out.put(name, ": ", value, "\r\n");
}

// Copies the fields of a parsed head but for those that are dropped, or nominated by Connection.
template <class Head>
void copy_fields(TextWriter& out, const Head& head, KnownSet dropped) {
  const Nominations nominations(head);
  if (!head.notes.plain || nominations.any()) {
    for (const auto& field : head.fields) {
      if (dropped.has(field.known)) continue;
      if (!checked.has(field.known) && nominations.has(field.name)) continue;
      write_field(out, field.name, field.value);
    }
    return;
  }
  // They are in the buffer as they are to be written: all of it but what is cut out.
  if (head.fields.empty()) return;
  const auto end_of = [](const http::Field& field) {
    return field.value.data() + field.value.size() + 2;
  };
  const auto* begin = head.fields.front().name.data();
  for (const auto at : head.notes.at) {
    const auto& field = head.fields[at];
    if (!dropped.has(field.known)) continue;
    out.put(std::string_view(begin, field.name.data()));
    begin = end_of(field);
  }
  out.put(std::string_view(begin, end_of(head.fields.back())));
}

constexpr std::size_t room_for_ours = 512;  // the lines that the router adds, as a rule

void put_forwarded_for(TextWriter& out, const http::RequestHead& head, std::string_view client_ip) {
  if (head.notes.known.has(Known::x_forwarded_for)) {
    for (const auto& field : head.fields) {
      if (field.known != Known::x_forwarded_for) continue;
      if (!field.value.empty()) out.put(field.value, ", ");
    }
  }
  out.put(client_ip);
}

// What a client is not told of a dyno's answer.
KnownSet not_for_clients(const http::ResponseHead& head, const Return& back) {
  auto dropped = of_the_connection;
  // RFC 9110 8.6: none with 1xx and 204; with HEAD and 304 it tells what there would be.
  const bool length = (back.relay == Relay::none || back.relay == Relay::length) &&
                      head.status >= 200 && head.status != 204;
  if (!length) dropped.add(Known::content_length);
  return dropped;
}

}  // namespace

bool acceptable_request_id(std::string_view id) {
  return id.size() >= 20 && id.size() <= 200 && std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '+' || c == '/' || c == '=' || c == '-';
         });
}

bool passes_upgrade(const http::RequestHead& head) {
  if (!head.upgrade) return false;
  return std::none_of(head.fields.begin(), head.fields.end(), [](const http::Field& field) {
    return field.known == Known::upgrade && http::list_has(field.value, "h2c");
  });
}

void write_forwarded_for(std::string& out, const http::RequestHead& head,
                         std::string_view client_ip) {
  TextWriter writer(out, client_ip.size());
  put_forwarded_for(writer, head, client_ip);
}

void write_request_head(std::string& text, const http::RequestHead& head, const Arrival& arrival) {
  const bool upgrade = passes_upgrade(head);
  auto dropped = not_for_dynos;
  if (!upgrade) dropped.add(Known::upgrade);
  TextWriter out(text, head.size + room_for_ours);

  out.put(head.method, " ", head.target, " HTTP/1.1\r\n");
  write_field(out, "Host", head.host);
  copy_fields(out, head, dropped);
  if (head.framing.body == http::Body::chunked) out.put("Transfer-Encoding: chunked\r\n");
  if (arrival.expect_continue) out.put("Expect: 100-continue\r\n");
  if (upgrade) {
    out.put("Connection: Upgrade\r\n");
  } else if (arrival.one_request) {
    out.put("Connection: close\r\n");
  }
  out.put("X-Forwarded-For: ");
  put_forwarded_for(out, head, arrival.client_ip);
  out.put("\r\nX-Forwarded-Proto: ", arrival.proto, "\r\nX-Forwarded-Port: ", arrival.port);
  out.put("\r\nX-Request-Start: ");
  out.number(arrival.start);
  out.put("\r\nX-Request-Id: ", arrival.request_id);
  out.put("\r\nVia: ", arrival.via, " renga-router\r\n\r\n");
}

Relay relay_of(const http::ResponseHead& head, int client_minor) {
  switch (head.framing.body) {
    case http::Body::none:
      return Relay::none;
    case http::Body::length:
      return Relay::length;
    case http::Body::chunked:
      return client_minor == 0 ? Relay::dechunked : Relay::chunked;
    case http::Body::until_close:
      return client_minor == 0 ? Relay::until_close : Relay::into_chunks;
  }
  return Relay::none;
}

void write_response_head(std::string& text, const http::ResponseHead& head, const Return& back) {
  auto dropped = not_for_clients(head, back);
  const bool may_upgrade = head.status == 101 || head.status == 426;
  if (!may_upgrade) dropped.add(Known::upgrade);
  TextWriter out(text, head.size + room_for_ours);

  out.put("HTTP/1.1 ");
  out.number(head.status);
  out.put(" ", head.reason, "\r\n");
  copy_fields(out, head, dropped);
  if (back.relay == Relay::chunked || back.relay == Relay::into_chunks) {
    out.put("Transfer-Encoding: chunked\r\n");
  }
  if (!head.notes.known.has(Known::server)) out.put("Server: renga-router\r\n");
  if (!head.notes.known.has(Known::date) && head.status >= 200) write_field(out, "Date", back.date);
  if (!back.cookie.empty()) write_field(out, "Set-Cookie", back.cookie);
  out.put("Via: 1.1 renga-router\r\n");
  const bool upgraded = may_upgrade && head.notes.known.has(Known::upgrade);
  if (head.status == 101) {
    out.put("Connection: Upgrade\r\n");
  } else {
    const bool say_keep_alive = back.keep_alive && back.client_minor == 0;
    const std::string_view own = !back.keep_alive ? "close"
                                 : say_keep_alive ? "keep-alive"
                                                  : std::string_view();
    if (upgraded || !own.empty()) {
      out.put("Connection: ", own);
      if (upgraded) out.put(own.empty() ? "Upgrade" : ", Upgrade");
      out.put("\r\n");
    }
  }
  out.put("\r\n");
}

void list_response_fields(std::vector<http::Field>& fields, std::string& names,
                          const http::ResponseHead& head, const Return& back) {
  const Nominations nominations(head);
  auto dropped = not_for_clients(head, back);
  dropped.add(Known::upgrade);
  std::size_t room = 0;
  for (const auto& field : head.fields) room += field.name.size();
  names.clear();
  names.reserve(room);  // so that none of them moves
  for (const auto& field : head.fields) {
    if (dropped.has(field.known)) continue;
    if (!checked.has(field.known) && nominations.has(field.name)) continue;
    const auto at = names.size();
    for (const char c : field.name) {
      names += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    }
    fields.push_back({std::string_view(names).substr(at), field.value});
  }
  if (!head.notes.known.has(Known::server)) fields.push_back({"server", "renga-router"});
  if (!head.notes.known.has(Known::date)) fields.push_back({"date", back.date});
  if (!back.cookie.empty()) fields.push_back({"set-cookie", back.cookie});
  fields.push_back({"via", "1.1 renga-router"});
}

}  // namespace renga::router
