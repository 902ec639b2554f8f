#include "http/head_fields.h"
#include "http/octets.h"
#include "http/parser.h"

namespace renga::http {

using detail::complete;
using detail::refused;

void ResponseParser::reset() {
  // They keep what they have allocated.
  auto fields = std::move(head_.fields);
  auto notes = std::move(head_.notes);
  notes.reset();
  fields.clear();
  head_ = ResponseHead();
  head_.fields = std::move(fields);
  head_.notes = std::move(notes);
  lines_.reset();
  base_ = nullptr;
  in_fields_ = false;
}

void ResponseParser::rebase(std::string_view buffer) {
  if (base_ != nullptr && base_ != buffer.data()) {
    const auto move = [&](std::string_view& view) {
      detail::rebase(view, base_, buffer.data(), lines_.position());
    };
    move(head_.reason);
    for (auto& field : head_.fields) {
      move(field.name);
      move(field.value);
    }
  }
  base_ = buffer.data();
}

Parsed ResponseParser::parse(std::string_view buffer, std::string_view request_method) {
  rebase(buffer);
  while (true) {
    if (in_fields_) lines_.take_fields(buffer, limits_, head_.fields, head_.notes);
    const auto limit = in_fields_ ? limits_.line : limits_.first_line;
    const auto line = lines_.next(buffer, limit, limits_.head);
    if (line.parsed.state != Parse::complete) return line.parsed;
    if (!in_fields_) {
      const auto parsed = status_line(line.text);
      if (parsed.state == Parse::refused) return parsed;
      in_fields_ = true;
    } else if (line.text.empty()) {
      head_.size = lines_.position();
      return finish(request_method);
    } else {
      const auto parsed = detail::parse_field(line.text, limits_, head_.fields, head_.notes);
      if (parsed.state == Parse::refused) return parsed;
    }
  }
}

Parsed ResponseParser::status_line(std::string_view line) {
  const auto digit = [&](std::size_t at) { return line[at] - '0'; };
  const auto is_digit = [&](std::size_t at) { return digit(at) >= 0 && digit(at) <= 9; };
  // "HTTP/1.1 200 OK"; the blank behind the status must be there, the reason need not.
  if (line.size() < 13 || line.substr(0, 7) != "HTTP/1." || !is_digit(7) || line[8] != ' ' ||
      !is_digit(9) || !is_digit(10) || !is_digit(11) || line[12] != ' ' || line[9] == '0' ||
      octets::value_end(line, 13) != line.size()) {
    return refused(Flaw::malformed, "The status line is not that of an HTTP/1 response.");
  }
  head_.minor = line[7] == '0' ? 0 : 1;
  head_.status = digit(9) * 100 + digit(10) * 10 + digit(11);
  head_.reason = line.substr(13);
  return complete();
}

Parsed ResponseParser::finish(std::string_view request_method) {
  detail::Control control;
  const auto parsed = detail::read_control(head_.fields, head_.notes, control);
  if (parsed.state == Parse::refused) return parsed;

  head_.keep_alive = !control.close && (head_.minor > 0 || control.keep_alive);
  if (control.has_transfer_encoding) {
    // RFC 9112 6.3: chunked counts, and whoever sent both, or sent it in HTTP/1.0, is not trusted
    // to have meant the same end as we do.
    head_.conflicting_lengths = control.content_length != nullptr;
    if (head_.conflicting_lengths || head_.minor == 0) head_.keep_alive = false;
  }

  if (request_method == "HEAD" || head_.status < 200 || head_.status == 204 ||
      head_.status == 304) {
    head_.framing = {Body::none, 0};
  } else if (control.has_transfer_encoding) {
    head_.framing = {Body::chunked, 0};
  } else if (control.content_length != nullptr) {
    head_.framing = control.length > 0 ? Framing{Body::length, control.length} : Framing{};
  } else {
    head_.framing = {Body::until_close, 0};
    head_.keep_alive = false;
  }
  return complete();
}

}  // namespace renga::http
