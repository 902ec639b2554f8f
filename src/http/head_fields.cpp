#include "http/head_fields.h"

#include <cstring>

#include "http/field_name.h"
#include "http/octets.h"

namespace renga::http {

int status_of(Flaw flaw) {
  switch (flaw) {
    case Flaw::none:
    case Flaw::malformed:
    case Flaw::bad_length:
      return 400;
    case Flaw::method_not_allowed:
      return 405;
    case Flaw::target_too_long:
      return 414;
    case Flaw::header_too_large:
    case Flaw::cookie_too_large:
      return 431;
    case Flaw::coding_unsupported:
      return 501;
    case Flaw::version_unsupported:
      return 505;
  }
  return 400;
}

bool is_token(std::string_view text) { return !text.empty() && octets::all(text, octets::token); }

bool same_name(std::string_view name, std::string_view lower_case) {
  if (name.size() != lower_case.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto c = name[i];
    const auto lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    if (lower != lower_case[i]) return false;
  }
  return true;
}

const Field* find_field(const std::vector<Field>& fields, std::string_view lower_case) {
  for (const auto& field : fields) {
    if (field.name.size() == lower_case.size() && same_name(field.name, lower_case)) return &field;
  }
  return nullptr;
}

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Calls visit(member) for each member of a comma-separated list, blanks taken off.
template <class Visit>
void for_each_member(std::string_view list, Visit visit) {
  while (true) {
    const auto comma = list.find(',');
    visit(trim_blanks(list.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

bool list_has(std::string_view list, std::string_view lower_case) {
  bool found = false;
  for_each_member(list, [&](std::string_view member) {
    found = found || same_name(trim_blanks(member.substr(0, member.find(';'))), lower_case);
  });
  return found;
}

std::string_view without_port(std::string_view host) {
  if (!host.empty() && host.front() == '[') {
    const auto bracket = host.find(']');
    return bracket == std::string_view::npos ? host : host.substr(0, bracket + 1);
  }
  return host.substr(0, host.find(':'));
}

namespace detail {

Parsed refused(Flaw flaw, std::string_view reason) { return {Parse::refused, flaw, reason}; }

HeadLines::Line HeadLines::next(std::string_view buffer, std::size_t line_limit,
                                std::size_t head_limit) {
  const auto too_large = [](std::string_view reason) {
    return Line{refused(Flaw::header_too_large, reason), {}};
  };
  // A line within its limit ends with CRLF at the latest two bytes behind it, a head likewise.
  const auto* found = scanned_ < buffer.size()
                          ? static_cast<const char*>(std::memchr(buffer.data() + scanned_, '\n',
                                                                 buffer.size() - scanned_))
                          : nullptr;
  const auto end =
      found == nullptr ? buffer.size() : static_cast<std::size_t>(found - buffer.data()) + 1;
  if (end - start_ > line_limit + 2) {
    return {refused(Flaw::header_too_large, "A header line is too long."),
            buffer.substr(start_, end - start_)};
  }
  if (end > head_limit) return too_large("The headers are too large.");
  scanned_ = end;
  if (found == nullptr) return {};

  const auto line = buffer.substr(start_, end - start_);
  if (line.size() < 2 || line[line.size() - 2] != '\r') {
    return {refused(Flaw::malformed, "A line of the head does not end with CR LF."), line};
  }
  start_ = end;
  return {complete(), line.substr(0, line.size() - 2)};
}

namespace {

// Takes the field whose line begins here, if it is as it must be and in the text as a whole; the
// line's size with its CRLF, or 0.
[[gnu::always_inline]] inline std::size_t take_field(std::string_view text, std::size_t begin,
                                                     const Limits& limits,
                                                     std::vector<Field>& fields,
                                                     FieldNotes& notes) {
  const auto colon = octets::token_end(text, begin);
  if (colon == begin || colon - begin > limits.name || colon == text.size() || text[colon] != ':') {
    return 0;
  }
  auto value = colon + 1;
  auto end = octets::value_end(text, value);
  if (end + 2 > text.size() || text[end] != '\r' || text[end + 1] != '\n') return 0;
  const auto size = end - begin;
  if (size > limits.line || fields.size() == limits.count) return 0;
  if (text[value] == ' ') ++value;
  if (value == colon + 1 || (value < end && (is_blank(text[value]) || is_blank(text[end - 1])))) {
    notes.plain = false;
    while (value < end && is_blank(text[value])) ++value;
    while (value < end && is_blank(text[end - 1])) --end;
  }
  const std::string_view name(text.data() + begin, colon - begin);
  const auto known = known_of(name);
  if (known != Known::other) {
    if (known == Known::set_cookie && end - value > limits.set_cookie) return 0;
    notes.known.add(known);
    notes.at.push_back(static_cast<std::uint16_t>(fields.size()));
  }
  fields.push_back({name, {text.data() + value, end - value}, known});
  return size + 2;
}

// What is wrong with a line that is not taken.
[[gnu::cold]] Parsed flaw_of(std::string_view line, const Limits& limits, std::size_t fields) {
  if (fields == limits.count) {
    return refused(Flaw::header_too_large, "There are too many headers.");
  }
  const auto length = octets::token_end(line, 0);
  if (length == line.size() || line[length] != ':' || length == 0) {
    if (line.front() == ' ' || line.front() == '\t') {
      return refused(Flaw::malformed, "A header line starts with a blank.");
    }
    if (line.front() == ':') return refused(Flaw::malformed, "A header has no name.");
    if (length == line.size()) return refused(Flaw::malformed, "A header line has no colon.");
    return refused(Flaw::malformed, "A header's name has a character that names cannot have.");
  }
  if (length > limits.name) {
    return refused(Flaw::header_too_large, "A header's name is too long.");
  }
  const auto value = line.substr(length + 1);
  if (octets::value_end(value, 0) != value.size()) {
    return refused(Flaw::malformed, "A header's value has a control character.");
  }
  return refused(Flaw::cookie_too_large, "A Set-Cookie header is too large.");
}

}  // namespace

void HeadLines::take_fields(std::string_view buffer, const Limits& limits,
                            std::vector<Field>& fields, FieldNotes& notes) {
  if (scanned_ != start_) return;
  const auto head = buffer.substr(0, limits.head);
  while (start_ < head.size()) {
    const auto size = take_field(head, start_, limits, fields, notes);
    if (size == 0) return;
    scanned_ = start_ += size;
  }
}

Parsed parse_field(std::string_view line, const Limits& limits, std::vector<Field>& fields,
                   FieldNotes& notes) {
  const std::string_view with_end(line.data(), line.size() + 2);
  if (take_field(with_end, 0, limits, fields, notes) > 0) return complete();
  return flaw_of(line, limits, fields.size());
}

namespace {

constexpr std::uint64_t largest_length = 0x7fff'ffff'ffff'ffff;

Parsed read_length(std::string_view text, std::uint64_t& length) {
  if (text.empty()) return refused(Flaw::bad_length, "Content-Length is empty.");
  std::uint64_t number = 0;
  for (const auto c : text) {
    if (c < '0' || c > '9') {
      return refused(Flaw::bad_length, "Content-Length is not one decimal number.");
    }
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (number > (largest_length - digit) / 10) {
      return refused(Flaw::bad_length, "Content-Length is too large a number.");
    }
    number = number * 10 + digit;
  }
  length = number;
  return complete();
}

// Codings of all Transfer-Encoding fields together, in order.
class Codings {
 public:
  void add(std::string_view list) {
    for_each_member(list, [&](std::string_view member) {
      malformed_ = malformed_ || !is_token(member);
      last_is_chunked_ = named<"chunked">(member);
      ++(last_is_chunked_ ? chunked_ : others_);
    });
  }
  Parsed verdict() const {
    if (malformed_) return refused(Flaw::bad_length, "Transfer-Encoding is not a list of codings.");
    if (chunked_ > 1) return refused(Flaw::bad_length, "Transfer-Encoding names chunked twice.");
    if (chunked_ == 1 && !last_is_chunked_) {
      return refused(Flaw::bad_length, "Transfer-Encoding does not end with chunked.");
    }
    if (others_ > 0) {
      return refused(Flaw::coding_unsupported, "No transfer coding but chunked is supported.");
    }
    return complete();
  }

 private:
  bool malformed_ = false;
  bool last_is_chunked_ = false;
  int chunked_ = 0;
  int others_ = 0;
};

}  // namespace

Parsed read_control(const std::vector<Field>& fields, const FieldNotes& notes, Control& control) {
  Codings codings;
  for (const auto at : notes.at) {
    const auto& field = fields[at];
    switch (field.known) {
      case Known::host:
        if (control.host != nullptr) return refused(Flaw::malformed, "There are two Host headers.");
        control.host = &field;
        break;
      case Known::expect:
        control.expects_continue =
            (!control.expects || control.expects_continue) && named<"100-continue">(field.value);
        control.expects = true;
        break;
      case Known::upgrade:
        control.upgrade = &field;
        break;
      case Known::connection:
        for_each_member(field.value, [&](std::string_view member) {
          control.close = control.close || named<"close">(member);
          control.keep_alive = control.keep_alive || named<"keep-alive">(member);
          control.nominates_upgrade = control.nominates_upgrade || named<"upgrade">(member);
        });
        break;
      case Known::content_length: {
        if (control.content_length != nullptr) {
          return refused(Flaw::bad_length, "There are two Content-Length headers.");
        }
        control.content_length = &field;
        const auto parsed = read_length(field.value, control.length);
        if (parsed.state == Parse::refused) return parsed;
        break;
      }
      case Known::transfer_encoding:
        control.has_transfer_encoding = true;
        codings.add(field.value);
        break;
      default:
        break;
    }
  }
  return codings.verdict();
}

void rebase(std::string_view& view, const char* from, const char* to, std::size_t size) {
  const auto offset =
      reinterpret_cast<std::uintptr_t>(view.data()) - reinterpret_cast<std::uintptr_t>(from);
  if (view.data() == nullptr || offset > size) return;
  view = std::string_view(to + offset, view.size());
}

}  // namespace detail

}  // namespace renga::http
