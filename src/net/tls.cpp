#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <stdexcept>

namespace renga::net {

namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

[[noreturn]] void refuse(const std::string& what) {
  char reason[256] = "no reason given";
  if (const auto error = ERR_get_error(); error != 0) {
    ERR_error_string_n(error, reason, sizeof reason);
  }
  ERR_clear_error();
  throw std::runtime_error(what + ": " + reason + ".");
}

std::unique_ptr<BIO, Free> reader(const std::string& pem) {
  std::unique_ptr<BIO, Free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) refuse("Cannot read a PEM text");
  return bio;
}

// The first certificate is the server's own, the rest its chain.
void use_certificates(SSL_CTX* context, const std::string& pem) {
  const auto bio = reader(pem);
  const std::unique_ptr<X509, Free> own(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!own || SSL_CTX_use_certificate(context, own.get()) != 1) {
    refuse("The TLS certificate cannot be used");
  }
  while (auto* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    if (SSL_CTX_add0_chain_cert(context, next) != 1) {
      X509_free(next);
      refuse("The TLS certificate's chain cannot be used");
    }
  }
  ERR_clear_error();  // the end of the text is an error to PEM_read_bio
}

}  // namespace

TlsContext::TlsContext(const std::string& certificate_chain, const std::string& private_key)
    : context_(SSL_CTX_new(TLS_server_method())) {
  ERR_clear_error();
  auto* context = context_.get();
  if (context == nullptr) refuse("Cannot make a TLS context");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // With TLS 1.2 only what has forward secrecy and authenticated encryption.
  if (SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1) {
    refuse("Cannot choose TLS ciphers");
  }
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // A write that would block is tried again from wherever the bytes are by then; idle connections
  // give their buffers back.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  // Tickets resume sessions without memory here; the name keeps them apart from other programs'.
  static constexpr unsigned char name[] = "renga";
  SSL_CTX_set_session_id_context(context, name, sizeof name - 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);

  use_certificates(context, certificate_chain);
  const auto bio = reader(private_key);
  const std::unique_ptr<EVP_PKEY, Free> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    refuse("The TLS private key cannot be used with its certificate");
  }
}

std::unique_ptr<SSL, SslFree> TlsContext::accept(int fd) const {
  ERR_clear_error();
  std::unique_ptr<SSL, SslFree> ssl(SSL_new(context_.get()));
  if (!ssl || SSL_set_fd(ssl.get(), fd) != 1) refuse("Cannot start TLS on a connection");
  SSL_set_accept_state(ssl.get());
  return ssl;
}

}  // namespace renga::net
