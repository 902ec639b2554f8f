#include <cstring>

#include "http/head_fields.h"
#include "http/octets.h"
#include "http/parser.h"

namespace renga::http {

using detail::complete;
using detail::refused;

namespace {

constexpr std::size_t longest_method = 127;

// uri-host [ ":" port ], without the characters of RFC 3986's reg-name that no host name has: a
// comma, a percent sign or an '@' there is somebody trying to be two hosts at once.
bool is_host(std::string_view text) {
  const auto name = without_port(text);
  auto port = text.substr(name.size());
  if (!name.empty() && name.front() == '[') {
    if (name.size() < 4 || name.back() != ']') return false;
    for (const auto c : name.substr(1, name.size() - 2)) {
      const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      if (!hex && c != ':' && c != '.') return false;
    }
  } else if (!octets::all(name, octets::host)) {
    return false;
  }
  if (port.empty()) return true;
  if (port.front() != ':' || (name.empty() && port.size() > 0)) return false;
  port.remove_prefix(1);
  unsigned number = 0;
  for (const auto c : port) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + static_cast<unsigned>(c - '0');
    if (number > 65535) return false;
  }
  return true;
}

Parsed read_version(std::string_view text, int& minor) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() != 8 || text.substr(0, 5) != "HTTP/" || !is_digit(text[5]) || text[6] != '.' ||
      !is_digit(text[7]) || text[5] == '0') {
    return refused(Flaw::malformed, "The request line does not end with an HTTP version.");
  }
  if (text[5] != '1') {
    return refused(Flaw::version_unsupported, "Only HTTP/1.0 and HTTP/1.1 are spoken here.");
  }
  minor = text[7] == '0' ? 0 : 1;
  return complete();
}

// http://host[:port]/path, whose scheme compares without case. True when it is one.
bool split_absolute_form(std::string_view target, std::string_view& host, std::string_view& path) {
  const auto colon = target.find(':');
  if (colon == std::string_view::npos || target.substr(colon, 3) != "://") return false;
  const auto scheme = target.substr(0, colon);
  if (!same_name(scheme, "http") && !same_name(scheme, "https")) return false;
  const auto rest = target.substr(colon + 3);
  const auto slash = rest.find_first_of("/?");
  host = rest.substr(0, slash);
  path = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
  return !without_port(host).empty();
}

// A request line that is over its limit: of a long target, or of no method at all.
Parsed too_long(std::string_view line) {
  const auto method = octets::token_end(line.substr(0, longest_method + 1), 0);
  if (method == 0 || method > longest_method || line[method] != ' ') {
    return refused(Flaw::malformed, "The request line does not start with a method and a space.");
  }
  return refused(Flaw::target_too_long, "The request line is too long.");
}

}  // namespace

void RequestParser::reset() {
  // They keep what they have allocated.
  auto fields = std::move(head_.fields);
  auto notes = std::move(head_.notes);
  notes.reset();
  fields.clear();
  head_ = RequestHead();
  head_.fields = std::move(fields);
  head_.notes = std::move(notes);
  lines_.reset();
  base_ = nullptr;
  in_fields_ = skipped_empty_line_ = absolute_form_ = false;
}

void RequestParser::rebase(std::string_view buffer) {
  if (base_ != nullptr && base_ != buffer.data()) {
    const auto move = [&](std::string_view& view) {
      detail::rebase(view, base_, buffer.data(), lines_.position());
    };
    move(head_.method);
    move(head_.target);
    move(head_.host);
    for (auto& field : head_.fields) {
      move(field.name);
      move(field.value);
    }
  }
  base_ = buffer.data();
}

Parsed RequestParser::parse(std::string_view buffer) {
  rebase(buffer);
  while (true) {
    if (in_fields_) lines_.take_fields(buffer, limits_, head_.fields, head_.notes);
    const auto limit = in_fields_ ? limits_.line : limits_.first_line;
    const auto line = lines_.next(buffer, limit, limits_.head);
    if (line.parsed.state != Parse::complete) {
      const bool long_line = line.parsed.flaw == Flaw::header_too_large && !line.text.empty();
      return long_line && !in_fields_ ? too_long(line.text) : line.parsed;
    }
    if (!in_fields_) {
      // RFC 9112 2.2: some clients send an empty line behind the body before.
      if (line.text.empty() && !skipped_empty_line_) {
        skipped_empty_line_ = true;
        continue;
      }
      const auto parsed = request_line(line.text);
      if (parsed.state == Parse::refused) return parsed;
      in_fields_ = true;
    } else if (line.text.empty()) {
      head_.size = lines_.position();
      return finish();
    } else {
      const auto parsed = detail::parse_field(line.text, limits_, head_.fields, head_.notes);
      if (parsed.state == Parse::refused) return parsed;
    }
  }
}

Parsed RequestParser::request_line(std::string_view line) {
  const auto method = octets::token_end(line, 0);
  if (method == 0 || method > longest_method || method == line.size() || line[method] != ' ') {
    return refused(Flaw::malformed, "The request line does not start with a method and a space.");
  }
  const auto begin = method + 1;
  const auto end = octets::target_end(line, begin);
  const auto target = line.substr(begin, end - begin);
  if (target.empty() || end == line.size() || line[end] != ' ') {
    return refused(Flaw::malformed,
                   "The request's target is missing or has a character that must be encoded.");
  }
  head_.method = line.substr(0, method);
  head_.target = target;
  const auto version = read_version(line.substr(end + 1), head_.minor);
  if (version.state == Parse::refused) return version;

  if (head_.method == "CONNECT") {
    return refused(Flaw::method_not_allowed, "CONNECT is not served: this is no forward proxy.");
  }
  if (target.front() == '/') return complete();
  if (target == "*") {
    if (head_.method == "OPTIONS") return complete();
    return refused(Flaw::malformed, "Only OPTIONS can have the target *.");
  }
  std::string_view path;
  if (!split_absolute_form(target, head_.host, path) || !is_host(head_.host)) {
    return refused(Flaw::malformed, "The request's target is neither a path nor an http URL.");
  }
  if (!path.empty() && path.front() != '/') {
    return refused(Flaw::malformed, "The request's target has a query but no path.");
  }
  absolute_form_ = true;
  head_.target = !path.empty() ? path : head_.method == "OPTIONS" ? "*" : "/";
  return complete();
}

Parsed RequestParser::finish() {
  detail::Control control;
  const auto parsed = detail::read_control(head_.fields, head_.notes, control);
  if (parsed.state == Parse::refused) return parsed;

  if (control.host == nullptr) {
    if (head_.minor > 0) return refused(Flaw::malformed, "The Host header is missing.");
  } else {
    if (!is_host(control.host->value)) {
      return refused(Flaw::malformed, "The Host header is not one host name.");
    }
    // RFC 9112 3.2.2: an absolute target overrules Host.
    if (!absolute_form_) head_.host = control.host->value;
  }

  if (control.has_transfer_encoding) {
    if (control.content_length != nullptr) {
      return refused(Flaw::bad_length, "There are both Transfer-Encoding and Content-Length.");
    }
    if (head_.minor == 0) {
      return refused(Flaw::bad_length, "HTTP/1.0 has no Transfer-Encoding.");
    }
    head_.framing = {Body::chunked, 0};
  } else if (control.content_length != nullptr && control.length > 0) {
    head_.framing = {Body::length, control.length};
  }
  head_.keep_alive = !control.close && (head_.minor > 0 || control.keep_alive);
  head_.upgrade = control.nominates_upgrade && control.upgrade != nullptr && head_.minor > 0;
  if (control.expects && head_.minor > 0) {
    head_.expect = control.expects_continue ? Expect::continue_100 : Expect::unknown;
  }
  return complete();
}

}  // namespace renga::http
