#include "net/tls.h"

#include <gtest/gtest.h>

#include <csignal>
#include <stdexcept>

#include "net/socket.h"
#include "net/testing/certificate.h"

namespace renga::net {
namespace {

// Both ends in one thread: handshakes take turns until neither wants more.
bool shake_hands(SSL* client, SSL* server) {
  for (int turn = 0; turn < 20; ++turn) {
    const auto one = SSL_do_handshake(client);
    const auto two = SSL_do_handshake(server);
    if (one == 1 && two == 1) return true;
  }
  return false;
}

struct Ends {
  os::Fd client_fd, server_fd;
  std::unique_ptr<SSL_CTX, SslFree> client_context;
  std::unique_ptr<SSL, SslFree> client, server;

  explicit Ends(const TlsContext& context, int client_version) {
    std::signal(SIGPIPE, SIG_IGN);
    std::tie(client_fd, server_fd) = unix_pair();
    set_blocking(client_fd.get(), false);
    set_blocking(server_fd.get(), false);
    client_context.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_max_proto_version(client_context.get(), client_version);
    client.reset(SSL_new(client_context.get()));
    SSL_set_fd(client.get(), client_fd.get());
    SSL_set_connect_state(client.get());
    server = context.accept(server_fd.get());
  }
};

TEST(Tls, SpeaksTls12And13AndNothingOlder) {
  const auto certificate = testing::make_certificate();
  const TlsContext context(certificate.certificate, certificate.key);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Ends ends(context, version);
    ASSERT_TRUE(shake_hands(ends.client.get(), ends.server.get()));
    EXPECT_EQ(SSL_version(ends.server.get()), version);
    ASSERT_EQ(SSL_write(ends.server.get(), "hello", 5), 5);
    char text[10];
    EXPECT_EQ(SSL_read(ends.client.get(), text, sizeof text), 5);
  }
  const Ends old(context, TLS1_1_VERSION);
  EXPECT_FALSE(shake_hands(old.client.get(), old.server.get()));
}

TEST(Tls, RefusesAKeyThatIsNotTheCertificates) {
  const auto one = testing::make_certificate();
  const auto other = testing::make_certificate();
  EXPECT_THROW(TlsContext(one.certificate, other.key), std::runtime_error);
  EXPECT_THROW(TlsContext("not a certificate", one.key), std::runtime_error);
  EXPECT_THROW(TlsContext(one.certificate, ""), std::runtime_error);
}

}  // namespace
}  // namespace renga::net
