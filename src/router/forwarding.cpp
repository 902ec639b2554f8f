// The rules, in the order in which they are asked for every field: what frames the message or
// belongs to this one connection is written by the router itself, but for Content-Length and
// Upgrade, which it checks and copies; what tells the dyno where a request came from is the
// router's word, so the client's is dropped, under any spelling that a CGI-like server would take
// for the same name; what Connection nominates goes; the rest is copied as it came, in its order.
#include "router/forwarding.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "http/field_name.h"
#include "router/text_writer.h"

namespace renga::router {

namespace {

using http::named;

enum class Rule { copy, drop, forwarded_for, content_length, upgrade };

// Names that a client must not be able to set, also not as X_Request_Id.
constexpr std::array<std::string_view, 13> ours = {"x-forwarded-for",
                                                   "x-forwarded-proto",
                                                   "x-forwarded-port",
                                                   "x-forwarded-host",
                                                   "x-request-id",
                                                   "x-request-start",
                                                   "content-length",
                                                   "transfer-encoding",
                                                   "connection",
                                                   "host",
                                                   "via",
                                                   "proxy",
                                                   "upgrade"};

constexpr std::uint64_t sizes_of_ours = [] {
  std::uint64_t sizes = 0;
  for (const auto name : ours) sizes |= std::uint64_t{1} << name.size();
  return sizes;
}();

bool is_alias(std::string_view name) {
  if (name.size() >= 64 || (sizes_of_ours >> name.size() & 1) == 0) return false;
  if (name.find('_') == std::string_view::npos) return false;
  return std::any_of(ours.begin(), ours.end(), [&](std::string_view own) {
    return name.size() == own.size() &&
           std::equal(name.begin(), name.end(), own.begin(), [](char sent, char lower) {
             const char c = sent >= 'A' && sent <= 'Z' ? static_cast<char>(sent + 32) : sent;
             return (c == '_' ? '-' : c) == lower;
           });
  });
}

// What both directions drop.
Rule hop_by_hop(std::string_view name) {
  switch (name.size()) {
    case 2:
      return named<"te">(name) ? Rule::drop : Rule::copy;
    case 7:
      return named<"upgrade">(name)   ? Rule::upgrade
             : named<"trailer">(name) ? Rule::drop
                                      : Rule::copy;
    case 10:
      return named<"connection">(name) || named<"keep-alive">(name) ? Rule::drop : Rule::copy;
    case 14:
      return named<"content-length">(name)   ? Rule::content_length
             : named<"http2-settings">(name) ? Rule::drop
                                             : Rule::copy;
    case 16:
      return named<"proxy-connection">(name) ? Rule::drop : Rule::copy;
    case 17:
      return named<"transfer-encoding">(name) ? Rule::drop : Rule::copy;
    default:
      return Rule::copy;
  }
}

Rule request_rule(std::string_view name) {
  switch (name.size()) {
    case 4:
      if (named<"host">(name)) return Rule::drop;
      break;
    case 5:
      if (named<"proxy">(name)) return Rule::drop;  // httpoxy: CGI makes HTTP_PROXY of it
      break;
    case 6:
      if (named<"expect">(name)) return Rule::drop;  // the router answers it
      break;
    case 12:
      if (named<"x-request-id">(name)) return Rule::drop;
      break;
    case 15:
      if (named<"x-forwarded-for">(name)) return Rule::forwarded_for;
      if (named<"x-request-start">(name)) return Rule::drop;
      break;
    case 16:
      if (named<"x-forwarded-port">(name)) return Rule::drop;
      break;
    case 17:
      if (named<"x-forwarded-proto">(name)) return Rule::drop;
      break;
    case 19:
      if (named<"proxy-authorization">(name)) return Rule::drop;
      break;
    default:
      break;
  }
  const auto rule = hop_by_hop(name);
  return rule == Rule::copy && is_alias(name) ? Rule::drop : rule;
}

bool nominates(std::string_view connection, std::string_view name) {
  while (true) {
    const auto comma = connection.find(',');
    if (text::equals_ignoring_case(text::trim(connection.substr(0, comma)), name)) return true;
    if (comma == std::string_view::npos) return false;
    connection.remove_prefix(comma + 1);
  }
}

// Whether any Connection line nominates this field. Those that say who is asking are not given up.
class Nominations {
 public:
  explicit Nominations(const std::vector<http::Field>& fields) : fields_(fields) {
    for (const auto& field : fields) {
      if (!named<"connection">(field.name)) continue;
      // Nearly all there are; they nominate nothing that would be copied.
      any_ = any_ || !(named<"keep-alive">(field.value) || named<"close">(field.value) ||
                       named<"upgrade">(field.value));
    }
  }
  bool has(std::string_view name) const {
    if (!any_) return false;
    if (name.size() > 12 && named<"x-forwarded-">(name.substr(0, 12))) return false;
    if (named<"via">(name)) return false;
    return std::any_of(fields_.begin(), fields_.end(), [&](const http::Field& field) {
      return named<"connection">(field.name) && nominates(field.value, name);
    });
  }

 private:
  const std::vector<http::Field>& fields_;
  bool any_ = false;
};

void write_field(TextWriter& out, std::string_view name, std::string_view value) {
  out.put(name, ": ", value, "\r\n");
}

// Copies those fields of a parsed head that are to be kept: as many as stand one behind the other,
// and are written as we write them, in one piece.
template <class Keep>
void copy_fields(TextWriter& out, const std::vector<http::Field>& fields, Keep keep) {
  const char* begin = nullptr;
  const char* end = nullptr;
  const auto put_until_here = [&](const char* next) {
    out.put(std::string_view(begin, end));
    begin = end = next;
  };
  for (const auto& field : fields) {
    if (!keep(field)) continue;
    const auto* name_end = field.name.data() + field.name.size();
    const auto* value_end = field.value.data() + field.value.size();
    if (field.value.data() == name_end + 2 && name_end[1] == ' ' && *value_end == '\r') {
      if (field.name.data() != end) put_until_here(field.name.data());
      end = value_end + 2;
    } else {
      put_until_here(nullptr);
      write_field(out, field.name, field.value);
    }
  }
  put_until_here(nullptr);
}

constexpr std::size_t room_for_ours = 512;  // the lines that the router adds, as a rule

void put_forwarded_for(TextWriter& out, const http::RequestHead& head, std::string_view client_ip) {
  for (const auto& field : head.fields) {
    if (!named<"x-forwarded-for">(field.name)) continue;
    if (!field.value.empty()) out.put(field.value, ", ");
  }
  out.put(client_ip);
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
    return named<"upgrade">(field.name) && http::list_has(field.value, "h2c");
  });
}

void write_forwarded_for(std::string& out, const http::RequestHead& head,
                         std::string_view client_ip) {
  TextWriter writer(out, client_ip.size());
  put_forwarded_for(writer, head, client_ip);
}

void write_request_head(std::string& text, const http::RequestHead& head, const Arrival& arrival) {
  const Nominations nominations(head.fields);
  const bool upgrade = passes_upgrade(head);
  TextWriter out(text, head.size + room_for_ours);

  out.put(head.method, " ", head.target, " HTTP/1.1\r\n");
  write_field(out, "Host", head.host);
  copy_fields(out, head.fields, [&](const http::Field& field) {
    switch (request_rule(field.name)) {
      case Rule::copy:
        return !nominations.has(field.name);
      case Rule::content_length:
        return true;
      case Rule::upgrade:
        return upgrade;
      case Rule::forwarded_for:
      case Rule::drop:
        break;
    }
    return false;
  });
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
  const Nominations nominations(head.fields);
  const bool upgrade = head.status == 101 || head.status == 426;
  // RFC 9110 8.6: none with 1xx and 204; with HEAD and 304 it tells what there would be.
  const bool length = (back.relay == Relay::none || back.relay == Relay::length) &&
                      head.status >= 200 && head.status != 204;
  bool date = false;
  bool server = false;
  bool upgraded = false;
  TextWriter out(text, head.size + room_for_ours);

  out.put("HTTP/1.1 ");
  out.number(head.status);
  out.put(" ", head.reason, "\r\n");
  copy_fields(out, head.fields, [&](const http::Field& field) {
    switch (hop_by_hop(field.name)) {
      case Rule::copy:
        date = date || named<"date">(field.name);
        server = server || named<"server">(field.name);
        return !nominations.has(field.name);
      case Rule::content_length:
        return length;
      case Rule::upgrade:
        upgraded = upgrade;
        return upgrade;
      case Rule::forwarded_for:
      case Rule::drop:
        break;
    }
    return false;
  });
  if (back.relay == Relay::chunked || back.relay == Relay::into_chunks) {
    out.put("Transfer-Encoding: chunked\r\n");
  }
  if (!server) out.put("Server: renga-router\r\n");
  if (!date && head.status >= 200) write_field(out, "Date", back.date);
  if (!back.cookie.empty()) write_field(out, "Set-Cookie", back.cookie);
  out.put("Via: 1.1 renga-router\r\n");
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
  const Nominations nominations(head.fields);
  const bool length = (back.relay == Relay::none || back.relay == Relay::length) &&
                      head.status >= 200 && head.status != 204;
  bool date = false;
  bool server = false;
  std::size_t room = 0;
  for (const auto& field : head.fields) room += field.name.size();
  names.clear();
  names.reserve(room);  // so that none of them moves
  for (const auto& field : head.fields) {
    const auto rule = hop_by_hop(field.name);
    const bool copied = rule == Rule::copy && !nominations.has(field.name);
    if (!copied && !(rule == Rule::content_length && length)) continue;
    date = date || named<"date">(field.name);
    server = server || named<"server">(field.name);
    const auto at = names.size();
    for (const char c : field.name) {
      names += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    }
    fields.push_back({std::string_view(names).substr(at), field.value});
  }
  if (!server) fields.push_back({"server", "renga-router"});
  if (!date) fields.push_back({"date", back.date});
  if (!back.cookie.empty()) fields.push_back({"set-cookie", back.cookie});
  fields.push_back({"via", "1.1 renga-router"});
}

}  // namespace renga::router
