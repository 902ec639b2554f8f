#include "router/testing/h2_client.h"

#include <nghttp2/nghttp2.h>

#include <stdexcept>

namespace renga::router::testing {

namespace {

std::string number(std::uint32_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

std::uint32_t number_at(std::string_view text, std::size_t at, int bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < bytes; ++i) {
    value = value << 8 | static_cast<unsigned char>(text[at + static_cast<std::size_t>(i)]);
  }
  return value;
}

// RFC 7541 5.1 with a prefix of seven bits.
void add_text(std::string& out, std::string_view text) {
  auto size = text.size();
  if (size < 127) {
    out += static_cast<char>(size);
  } else {
    out += '\x7f';
    for (size -= 127; size >= 128; size /= 128) out += static_cast<char>(size % 128 + 128);
    out += static_cast<char>(size);
  }
  out += text;
}

}  // namespace

H2Client::H2Client(const std::string& port, const std::string& host)
    : tls_(port, host, nullptr, "\x02h2\x08http/1.1") {
  if (tls_.protocol() != "h2") throw std::runtime_error("the server does not speak HTTP/2");
  nghttp2_hd_inflate_new(&inflater_);
  raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  send(h2::settings, 0, 0, "");
  // The server's windows count from when its settings are acknowledged.
  while (next().type != h2::settings) {
  }
}

H2Client::~H2Client() { nghttp2_hd_inflate_del(inflater_); }

std::string H2Client::block(const Fields& fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    out += '\0';
    add_text(out, name);
    add_text(out, value);
  }
  return out;
}

H2Client::Fields H2Client::get(std::string path, std::string host) {
  return {{":method", "GET"},
          {":scheme", "https"},
          {":path", std::move(path)},
          {":authority", std::move(host)}};
}

void H2Client::send(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                    std::string_view payload) {
  std::string bytes = number(static_cast<std::uint32_t>(payload.size()), 3);
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(flags);
  bytes += number(stream, 4);
  bytes += payload;
  raw(bytes);
}

void H2Client::request(std::uint32_t stream, const Fields& fields, bool ends) {
  const auto flags = h2::end_headers | (ends ? h2::end_stream : 0);
  send(h2::headers, static_cast<std::uint8_t>(flags), stream, block(fields));
}

H2Frame H2Client::next() {
  const auto need = [&](std::size_t size) {
    while (in_.size() < size) {
      const auto more = tls_.read_some();
      if (more.empty()) return false;
      in_ += more;
    }
    return true;
  };
  H2Frame frame;
  frame.type = 255;
  if (!need(9)) return frame;
  const auto size = number_at(in_, 0, 3);
  if (!need(9 + size)) return frame;
  frame.type = static_cast<std::uint8_t>(in_[3]);
  frame.flags = static_cast<std::uint8_t>(in_[4]);
  frame.stream = number_at(in_, 5, 4);
  frame.payload = in_.substr(9, size);
  in_.erase(0, 9 + size);
  try {
    if (frame.type == h2::settings && (frame.flags & h2::ack) == 0) {
      send(h2::settings, h2::ack, 0, "");
    }
    if (frame.type == h2::ping && (frame.flags & h2::ack) == 0) {
      send(h2::ping, h2::ack, 0, frame.payload);
    }
  } catch (const std::exception&) {  // the server takes no more; what it said can still be read
  }
  return frame;
}

void H2Client::take(const H2Frame& frame) {
  auto& answer = answers_[frame.stream];
  if (frame.type == h2::rst) answer.reset = static_cast<int>(number_at(frame.payload, 0, 4));
  if (frame.type == h2::data) {
    answer.body += frame.payload;
    if (gives_windows && !frame.payload.empty()) {
      const auto size = number(static_cast<std::uint32_t>(frame.payload.size()), 4);
      send(h2::window, 0, 0, size);
      if ((frame.flags & h2::end_stream) == 0) send(h2::window, 0, frame.stream, size);
    }
  }
  if (frame.type == h2::headers) answer.fields.clear();
  if (frame.type == h2::headers || frame.type == h2::continuation) block_ += frame.payload;
  const bool whole = (frame.flags & h2::end_headers) != 0;
  if (whole && (frame.type == h2::headers || frame.type == h2::continuation)) {
    auto* at = reinterpret_cast<std::uint8_t*>(block_.data());
    auto left = block_.size();
    while (true) {
      nghttp2_nv field;
      int flags = 0;
      const auto used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, at, left, 1);
      if (used < 0) throw std::runtime_error("a head that cannot be read");
      at += used;
      left -= static_cast<std::size_t>(used);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        answer.fields[std::string(reinterpret_cast<char*>(field.name), field.namelen)] =
            std::string(reinterpret_cast<char*>(field.value), field.valuelen);
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_);
    block_.clear();
  }
  const bool has_end = frame.type == h2::data || frame.type == h2::headers;
  if (has_end && (frame.flags & h2::end_stream) != 0) answer.ended = true;
}

H2Answer H2Client::answer(std::uint32_t stream) {
  while (!answers_[stream].ended && answers_[stream].reset < 0) {
    const auto frame = next();
    if (frame.type == 255) throw std::runtime_error("closed before the answer");
    if (frame.type == h2::goaway && number_at(frame.payload, 4, 4) != 0) {
      throw std::runtime_error("GOAWAY " + std::to_string(number_at(frame.payload, 4, 4)));
    }
    take(frame);
  }
  return answers_[stream];
}

int H2Client::goaway() {
  while (true) {
    const auto frame = next();
    if (frame.type == 255) return -1;
    if (frame.type == h2::goaway) return static_cast<int>(number_at(frame.payload, 4, 4));
    if (frame.type != h2::settings && frame.type != h2::ping) take(frame);
  }
}

}  // namespace renga::router::testing
