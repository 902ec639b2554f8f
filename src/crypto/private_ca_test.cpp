#include "crypto/private_ca.h"

#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "crypto/private_file.h"
#include "crypto/testing/temporary_directory.h"
#include "crypto/x509.h"

namespace renga::crypto {
namespace {

class PrivateCaTest : public testing::Test {
 protected:
  std::string text(const std::string& name) { return read_file(directory.path() / name).value(); }
  mode_t mode_of(const std::string& name) {
    struct stat status {};
    EXPECT_EQ(::stat((directory.path() / name).c_str(), &status), 0) << name;
    return status.st_mode & 07777;
  }
  // As a strict TLS client would, for this host name or address.
  bool trusted(const Certificate& certificate, const std::string& host) {
    const auto leaf = x509::read_certificate(certificate.chain);
    const auto authority = x509::read_certificate(text("ca.pem"));
    auto* store = X509_STORE_new();
    X509_STORE_add_cert(store, authority.get());
    auto* context = X509_STORE_CTX_new();
    X509_STORE_CTX_init(context, store, leaf.get(), nullptr);
    auto* parameters = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
    X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
    if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) != 1)
      X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), 0);
    const bool good = X509_verify_cert(context) == 1;
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return good;
  }

  TemporaryDirectory directory;
  const std::vector<std::string> names{"localhost", "127.0.0.1", "::1", "*.apps.example.com"};
};

TEST_F(PrivateCaTest, MakesItsFilesOnceAndKeepsThem) {
  PrivateCa first(directory.path());
  const auto ca = text("ca.pem");
  EXPECT_EQ(mode_of("ca.pem"), 0644u);
  EXPECT_EQ(mode_of("ca.key"), 0600u);
  PrivateCa second(directory.path());
  EXPECT_EQ(text("ca.pem"), ca);
}

TEST_F(PrivateCaTest, IsTrustedForTheNamesItWasMadeForAndNoOthers) {
  const auto certificate = PrivateCa(directory.path()).server_certificate(names);
  for (const auto* host : {"localhost", "127.0.0.1", "::1", "sushi.apps.example.com"})
    EXPECT_TRUE(trusted(certificate, host)) << host;
  for (const auto* host : {"example.com", "127.0.0.2", "a.b.apps.example.com"})
    EXPECT_FALSE(trusted(certificate, host)) << host;
  EXPECT_EQ(mode_of("server.pem"), 0600u);
}

TEST_F(PrivateCaTest, ReusesTheServerCertificateWhileItServes) {
  const PrivateCa ca(directory.path());
  const auto certificate = ca.server_certificate(names);
  EXPECT_EQ(ca.server_certificate(names), certificate);
  auto shuffled = names;
  std::ranges::reverse(shuffled);
  shuffled.push_back("LOCALHOST");
  shuffled.push_back("0:0::1");
  EXPECT_EQ(ca.server_certificate(shuffled), certificate);
}

TEST_F(PrivateCaTest, MakesAnotherWhenTheNamesChange) {
  const PrivateCa ca(directory.path());
  const auto before = ca.server_certificate({"localhost"});
  const auto after = ca.server_certificate({"localhost", "renga.example.com"});
  EXPECT_NE(after, before);
  EXPECT_TRUE(trusted(after, "renga.example.com"));
}

TEST_F(PrivateCaTest, RenewsInTheLastThirtyDays) {
  const PrivateCa ca(directory.path());
  const auto now = SystemClock().now();
  const auto certificate = ca.server_certificate(names, now);
  EXPECT_EQ(ca.server_certificate(names, now + std::chrono::days(334)), certificate);
  EXPECT_NE(ca.server_certificate(names, now + std::chrono::days(336)), certificate);
}

TEST_F(PrivateCaTest, SaysSoWhenTheAuthorityHasEnded) {
  const PrivateCa ca(directory.path());
  const auto now = SystemClock().now();
  const auto last = ca.server_certificate(names, now + std::chrono::days(3640));
  EXPECT_LE(x509::valid_until(x509::read_certificate(last.chain).get()),
            x509::valid_until(x509::read_certificate(text("ca.pem")).get()));
  EXPECT_THROW(ca.server_certificate(names, now + std::chrono::days(3651)), std::runtime_error);
}

TEST_F(PrivateCaTest, MakesAnotherWhenTheCachedOneIsUnusable) {
  const PrivateCa ca(directory.path());
  const auto good = ca.server_certificate(names);
  for (const auto& broken : {std::string("junk"), good.chain, good.key,
                             good.chain + x509::pem(x509::make_key().get())}) {
    std::ofstream(directory.path() / "server.pem") << broken;
    EXPECT_TRUE(trusted(ca.server_certificate(names), "localhost"));
  }
  std::filesystem::remove(directory.path() / "ca.pem");
  std::filesystem::remove(directory.path() / "ca.key");
  const PrivateCa another(directory.path());
  EXPECT_TRUE(trusted(another.server_certificate(names), "localhost"));
}

TEST_F(PrivateCaTest, CarriesOnAfterACrashBetweenKeyAndCertificate) {
  { PrivateCa ca(directory.path()); }
  const auto key = text("ca.key");
  std::filesystem::remove(directory.path() / "ca.pem");
  PrivateCa again(directory.path());
  EXPECT_EQ(text("ca.key"), key);
  EXPECT_TRUE(trusted(again.server_certificate(names), "localhost"));
}

TEST_F(PrivateCaTest, NeverMakesANewKeyForACertificateThatUsersTrust) {
  { PrivateCa ca(directory.path()); }
  std::filesystem::remove(directory.path() / "ca.key");
  EXPECT_THROW(PrivateCa{directory.path()}, std::runtime_error);
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "ca.key"));
}

TEST_F(PrivateCaTest, RefusesNamesThatAreNone) {
  const PrivateCa ca(directory.path());
  EXPECT_THROW(ca.server_certificate({}), std::invalid_argument);
  for (const auto* bad : {"", "a b", "a\nb", "caf\xc3\xa9.example.com"})
    EXPECT_THROW(ca.server_certificate({"localhost", bad}), std::invalid_argument) << bad;
}

}  // namespace
}  // namespace renga::crypto
