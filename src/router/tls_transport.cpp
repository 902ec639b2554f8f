#include "router/tls_transport.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"

namespace renga::router {

namespace {

constexpr std::size_t record = 16 * 1024;

Transport::Outcome outcome_of(const net::TlsStream::Outcome& from) {
  using From = net::TlsStream::Status;
  using To = Transport::Status;
  switch (from.status) {
    case From::moved:
      return {To::moved, from.bytes, from.drained};
    case From::blocked:
      return {To::blocked, 0, from.drained};
    case From::closed:
      return {To::closed, 0, true};
    case From::broken:
      break;
  }
  return {To::broken, 0, true};
}

constexpr std::string_view answer_to_plain_http =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: 55\r\nConnection: close\r\n\r\n"
    "This port speaks HTTPS: ask again with https:// there.\n";

}  // namespace

Transport::Outcome TlsTransport::read(char* into, std::size_t room) {
  const auto got = stream_->read(into, room);
  if (got.status == net::TlsStream::Status::broken && stream_->met_plain_http()) {
    // Too short to be refused by a fresh socket; if it is, nothing is lost.
    [[maybe_unused]] const auto sent = ::send(socket_.get(), answer_to_plain_http.data(),
                                              answer_to_plain_http.size(), MSG_NOSIGNAL);
    ::shutdown(socket_.get(), SHUT_WR);
  }
  return outcome_of(got);
}

Transport::Outcome TlsTransport::write(iovec* parts, std::size_t count) {
  std::array<char, record> gathered;
  std::size_t moved = 0;
  std::size_t part = 0;
  std::size_t offset = 0;  // into that part
  while (part < count) {
    const auto* bytes = static_cast<const char*>(parts[part].iov_base) + offset;
    auto size = std::min(record, parts[part].iov_len - offset);
    if (size < record && part + 1 < count) {
      size = 0;
      auto next = part;
      auto from = offset;
      while (next < count && size < record) {
        const auto take = std::min(record - size, parts[next].iov_len - from);
        std::memcpy(gathered.data() + size, static_cast<const char*>(parts[next].iov_base) + from,
                    take);
        size += take;
        from = 0;
        ++next;
      }
      bytes = gathered.data();
    }
    const auto outcome = stream_->write({bytes, size});
    if (outcome.status != net::TlsStream::Status::moved) {
      if (moved > 0) break;
      return outcome_of(outcome);
    }
    moved += outcome.bytes;
    offset += outcome.bytes;
    while (part < count && offset >= parts[part].iov_len) offset -= parts[part++].iov_len;
  }
  return {Status::moved, moved, false};
}

// Who names no host gets the first certificate there is, and cannot be told that it is another's.
// RFC 6066 3: an address is no name, though some clients send one.
bool TlsTransport::good_for(std::string_view host) const {
  const auto named = stream_->server_name();
  const bool address = named.find_first_not_of("0123456789.") == std::string_view::npos ||
                       named.find(':') != std::string_view::npos;
  return address || text::equals_ignoring_case(named, host) ||
         server_.same_certificate(named, host);
}

void TlsTransport::finish_writing() {
  stream_->end_writing();
  ::shutdown(socket_.get(), SHUT_WR);
}

}  // namespace renga::router
