// OpenSSL reads and writes through a BIO of our own, which sends without SIGPIPE and remembers that
// the kernel gave less than there was room for: with edge-triggered epoll that means that there is
// no more, and saves the read that would only say so.
#include "net/tls_server.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>

#include "base/locked.h"
#include "net/tls_table.h"
#include "net/tls_tickets.h"

namespace renga::net {

struct TlsStream::Wire {
  int socket = -1;
  bool drained = false;  // until somebody reads anew
  bool ended = false;
  // Every call of OpenSSL's that comes back here is on the stream's own thread.
  static int read(BIO* bio, char* into, std::size_t room, std::size_t* got);
  static int write(BIO* bio, const char* bytes, std::size_t size, std::size_t* sent);
  static long control(BIO* bio, int command, long number, void* pointer);
};

int TlsStream::Wire::read(BIO* bio, char* into, std::size_t room, std::size_t* got) {
  auto& wire = *static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *got = 0;
  if (wire.drained) {
    BIO_set_retry_read(bio);
    return 0;
  }
  while (true) {
    const auto count = ::recv(wire.socket, into, room, 0);
    if (count > 0) {
      *got = static_cast<std::size_t>(count);
      wire.drained = *got < room;
      return 1;
    }
    if (count < 0 && errno == EINTR) continue;
    wire.drained = true;
    wire.ended = count == 0;
    if (count < 0 && errno == EAGAIN) BIO_set_retry_read(bio);
    return 0;
  }
}

int TlsStream::Wire::write(BIO* bio, const char* bytes, std::size_t size, std::size_t* sent) {
  auto& wire = *static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  *sent = 0;
  while (true) {
    const auto count = ::send(wire.socket, bytes, size, MSG_NOSIGNAL);
    if (count >= 0) {
      *sent = static_cast<std::size_t>(count);
      return 1;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) BIO_set_retry_write(bio);
    return 0;
  }
}

long TlsStream::Wire::control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return static_cast<Wire*>(BIO_get_data(bio))->ended ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

namespace {

// What an earlier failure has left would be taken for this call's. Asked first, since hardly ever
// is there any, and clearing goes through the whole queue.
void forget_errors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

}  // namespace

TlsStream::TlsStream(ssl_st* ssl, std::unique_ptr<Wire> wire) : wire_(std::move(wire)), ssl_(ssl) {}

TlsStream::~TlsStream() { SSL_free(ssl_); }

TlsStream::Outcome TlsStream::failed(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return {Status::blocked, 0, true};
    case SSL_ERROR_WANT_WRITE:
      return {Status::blocked, 0, true};
    case SSL_ERROR_ZERO_RETURN:
      return {Status::closed, 0, true};
    default:
      break;
  }
  // Many clients close without close_notify. A message's own framing tells whether anything is
  // missing, so to us it is an end like any other.
  const auto reason = ERR_GET_REASON(ERR_peek_error());
  const bool cut = reason == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  met_plain_http_ = reason == SSL_R_HTTP_REQUEST;
  broken_ = true;
  ERR_clear_error();
  return {cut ? Status::closed : Status::broken, 0, true};
}

TlsStream::Outcome TlsStream::read(char* into, std::size_t room) {
  if (broken_) return {Status::closed, 0, true};
  forget_errors();
  wire_->drained = false;
  read_wants_write_ = false;
  std::size_t bytes = 0;
  const int result = SSL_read_ex(ssl_, into, room, &bytes);
  if (result == 1) return {Status::moved, bytes, wire_->drained && SSL_has_pending(ssl_) == 0};
  const auto outcome = failed(result);
  if (outcome.status == Status::blocked) read_wants_write_ = SSL_want_write(ssl_);
  return outcome;
}

TlsStream::Outcome TlsStream::write(std::string_view bytes) {
  if (broken_) return {Status::broken, 0, false};
  forget_errors();
  std::size_t written = 0;
  const int result = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &written);
  if (result == 1) return {Status::moved, written, false};
  auto outcome = failed(result);
  if (outcome.status == Status::closed) outcome.status = Status::broken;
  return outcome;
}

void TlsStream::end_writing() {
  if (broken_ || !handshaken()) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);  // a full socket loses its close_notify, not data
  ERR_clear_error();
}

bool TlsStream::handshaken() const { return SSL_is_init_finished(ssl_) == 1; }

bool TlsStream::chose_http2() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return std::string_view(reinterpret_cast<const char*>(name), size) == "h2";
}

std::string_view TlsStream::server_name() const {
  const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string_view() : std::string_view(name);
}

std::string_view TlsStream::version() const {
  if (!handshaken()) return "unknown";
  switch (SSL_version(ssl_)) {
    case TLS1_2_VERSION:
      return "tls1.2";
    case TLS1_3_VERSION:
      return "tls1.3";
    default:
      return "unknown";
  }
}

namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};

void must(bool ok, const char* what) {
  if (ok) return;
  char reason[256] = "no reason given";
  if (const auto code = ERR_get_error(); code != 0) ERR_error_string_n(code, reason, sizeof reason);
  ERR_clear_error();
  throw std::runtime_error(std::string("OpenSSL could not ") + what + ": " + reason);
}

}  // namespace

struct TlsServer::State {
  Protocols protocols;
  TicketKeys tickets;
  Locked<std::shared_ptr<const TlsCertificates>> certificates;
  std::unique_ptr<BIO_METHOD, FreeContext> method;
  std::unique_ptr<SSL_CTX, FreeContext> context;

  // OpenSSL's callbacks find us in the context.
  static State& of(SSL* ssl) {
    return *static_cast<State*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  }
  static int choose_certificate(SSL* ssl, void*);
  static int choose_protocol(SSL* ssl, const unsigned char** chosen, unsigned char* size,
                             const unsigned char* offered, unsigned offered_size, void*);
  static int ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                        EVP_MAC_CTX* mac, int seal) {
    return of(ssl).tickets.apply(name, iv, cipher, mac, seal == 1);
  }
};

int TlsServer::State::choose_certificate(SSL* ssl, void*) {
  const auto all = *of(ssl).certificates.lock();
  if (!all) return 0;
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  const auto* found = all->state_->find(name == nullptr ? "" : name);
  if (found == nullptr) return 0;
  return SSL_use_cert_and_key(ssl, found->own, found->key, found->rest, 1) == 1 ? 1 : 0;
}

int TlsServer::State::choose_protocol(SSL* ssl, const unsigned char** chosen, unsigned char* size,
                                      const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr unsigned char both[] = "\x02h2\x08http/1.1";
  const bool http2 = of(ssl).protocols == Protocols::http1_and_2;
  const auto* ours = http2 ? both : both + 3;
  const auto ours_size = static_cast<unsigned>(http2 ? sizeof both - 1 : sizeof both - 4);
  unsigned char* out = nullptr;
  // RFC 7301 3.2: a client that offers neither is told so, not served what it does not speak.
  if (SSL_select_next_proto(&out, size, ours, ours_size, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = out;
  return SSL_TLSEXT_ERR_OK;
}

TlsServer::TlsServer(Protocols protocols) : state_(std::make_unique<State>()) {
  auto& state = *state_;
  state.protocols = protocols;
  state.method.reset(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket"));
  must(state.method && BIO_meth_set_read_ex(state.method.get(), TlsStream::Wire::read) == 1 &&
           BIO_meth_set_write_ex(state.method.get(), TlsStream::Wire::write) == 1 &&
           BIO_meth_set_ctrl(state.method.get(), TlsStream::Wire::control) == 1,
       "prepare its input and output");
  state.context.reset(SSL_CTX_new(TLS_server_method()));
  auto* context = state.context.get();
  must(context != nullptr, "make a context");
  SSL_CTX_set_app_data(context, &state);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // With TLS 1.2 only what has forward secrecy and authenticated encryption.
  must(SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
           SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1,
       "choose ciphers");
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // A write that would block is tried again from wherever the bytes are by then; idle connections
  // give their buffers back.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);  // a record's head and body in one read
  static constexpr unsigned char name[] = "renga router";
  SSL_CTX_set_session_id_context(context, name, sizeof name - 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_timeout(context, 12 * 3600);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, State::ticket_key);
  SSL_CTX_set_cert_cb(context, State::choose_certificate, nullptr);
  SSL_CTX_set_alpn_select_cb(context, State::choose_protocol, nullptr);
}

TlsServer::~TlsServer() = default;

void TlsServer::use(std::shared_ptr<const TlsCertificates> certificates) {
  // The last one is let go of outside of the lock: there may be many keys in it.
  auto last = std::exchange(*state_->certificates.lock(), std::move(certificates));
}

bool TlsServer::same_certificate(std::string_view host, std::string_view other) const {
  const auto all = *state_->certificates.lock();
  return all && all->state_->find(host) == all->state_->find(other);
}

std::unique_ptr<TlsStream> TlsServer::accept(int socket) {
  ERR_clear_error();
  auto wire = std::make_unique<TlsStream::Wire>();
  wire->socket = socket;
  auto* ssl = SSL_new(state_->context.get());
  must(ssl != nullptr, "start on a connection");
  std::unique_ptr<TlsStream> stream(new TlsStream(ssl, std::move(wire)));
  auto* bio = BIO_new(state_->method.get());
  must(bio != nullptr, "start on a connection");
  BIO_set_data(bio, stream->wire_.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  SSL_set_accept_state(ssl);
  return stream;
}

}  // namespace renga::net
