#include "http/testing/raw_client.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <stdexcept>

#include "http/chunked.h"
#include "http/parser.h"
#include "net/socket.h"

namespace renga::http::testing {

RawClient::RawClient(const std::string& address, Over over) {
  auto fd = net::connect_tcp(address, std::chrono::seconds(10));
  if (!fd) throw std::runtime_error(fd.error().message);
  fd_ = std::move(*fd);
  const timeval limit{10, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (over == Over::plain) return;
  context_.reset(SSL_CTX_new(TLS_client_method()));
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_fd(ssl_.get(), fd_.get());
  if (SSL_connect(ssl_.get()) != 1) throw std::runtime_error("The TLS handshake failed.");
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                           : ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void RawClient::half_close() { ::shutdown(fd_.get(), SHUT_WR); }

void RawClient::close() {
  ssl_.reset();
  fd_.close();
}

bool RawClient::fill() {
  char bytes[64 * 1024];
  const auto got =
      ssl_ ? SSL_read(ssl_.get(), bytes, sizeof bytes) : ::recv(fd_.get(), bytes, sizeof bytes, 0);
  if (got <= 0) return false;
  buffer_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

std::string RawClient::read_some() {
  if (buffer_.empty()) fill();
  return std::exchange(buffer_, {});
}

std::string RawClient::read_until(std::string_view marker) {
  std::size_t at = 0;
  while ((at = buffer_.find(marker)) == std::string::npos) {
    if (!fill()) return std::exchange(buffer_, {});
  }
  auto text = buffer_.substr(0, at + marker.size());
  buffer_.erase(0, at + marker.size());
  return text;
}

std::string RawClient::read_to_end() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

Answer RawClient::ask(std::string_view bytes, std::string_view method) {
  send(bytes);
  return answer(method);
}

Answer RawClient::answer(std::string_view method) {
  ResponseParser parser;
  Answer answer;
  while (true) {
    const auto parsed = parser.parse(buffer_, method);
    if (parsed.state == Parse::refused) throw std::runtime_error(std::string(parsed.reason));
    if (parsed.state == Parse::need_more) {
      if (!fill()) return answer;
      continue;
    }
    if (parser.head().status >= 200) break;
    ++informational;
    buffer_.erase(0, parser.head().size);
    parser.reset();
  }
  const auto framing = parser.head().framing;
  answer.status = parser.head().status;
  answer.head = buffer_.substr(0, parser.head().size);
  buffer_.erase(0, answer.head.size());
  switch (framing.body) {
    case Body::none:
      answer.whole = true;
      break;
    case Body::length:
      while (buffer_.size() < framing.length && fill()) {
      }
      answer.whole = buffer_.size() >= framing.length;
      answer.body = buffer_.substr(0, framing.length);
      buffer_.erase(0, answer.body.size());
      break;
    case Body::until_close:
      answer.body = read_to_end();
      answer.whole = true;
      break;
    case Body::chunked: {
      ChunkedDecoder decoder;
      while (true) {
        const auto piece = decoder.next(buffer_);
        if (piece.part == ChunkedDecoder::Part::payload) answer.body += piece.bytes;
        if (piece.part == ChunkedDecoder::Part::end) break;
        if (piece.part == ChunkedDecoder::Part::refused) return answer;
        if (piece.part == ChunkedDecoder::Part::need_more && !fill()) return answer;
        buffer_.erase(0, piece.bytes.size());
      }
      answer.whole = true;
      break;
    }
  }
  return answer;
}

}  // namespace renga::http::testing
