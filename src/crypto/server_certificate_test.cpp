#include "crypto/server_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/x509.h"

namespace renga::crypto {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

class ServerCertificateTest : public testing::Test {
 protected:
  std::string refusal(const std::string& chain, const std::string& with) {
    const auto refused = check_server_certificate(chain, with, now);
    EXPECT_FALSE(refused);
    return refused ? "" : refused.error().message;
  }

  const Time now = SystemClock().now();
  const x509::Key authority_key = x509::make_key();
  const x509::Cert authority =
      x509::make_authority(authority_key.get(), "An authority", now - 24h, now + 240h);
  const x509::Key key = x509::make_key();
  const x509::Cert server =
      x509::make_server(key.get(), {"shop.example.com", "*.Example.com"}, now - 24h, now + 240h,
                        authority.get(), authority_key.get());
  const std::string own = x509::pem(server.get());
  const std::string issuer = x509::pem(authority.get());
  const std::string private_key = x509::pem(key.get());
};

TEST_F(ServerCertificateTest, PutsTheServersOwnFirstWhateverTheOrder) {
  for (const auto& chain : {own + issuer, issuer + own, "text\n" + issuer + "\n\n" + own + own}) {
    const auto checked = check_server_certificate(chain, private_key, now);
    ASSERT_TRUE(checked) << checked.error().message;
    EXPECT_EQ(checked->chain, own + issuer);
  }
}

TEST_F(ServerCertificateTest, TellsWhatIsInIt) {
  const auto facts = facts_of(own + issuer);
  EXPECT_THAT(facts.names, ElementsAre("*.example.com", "shop.example.com"));
  EXPECT_EQ(facts.subject, "/CN=shop.example.com");
  EXPECT_EQ(facts.issuer, "/CN=An authority");
  EXPECT_FALSE(facts.self_signed);
  EXPECT_FALSE(facts.ca_signed);
  EXPECT_TRUE(facts_of(issuer).self_signed);
}

TEST_F(ServerCertificateTest, SaysWhatIsWrong) {
  EXPECT_THAT(refusal("", private_key), HasSubstr("There is no certificate"));
  EXPECT_THAT(refusal(private_key, private_key), HasSubstr("There is no certificate"));
  EXPECT_THAT(refusal(own.substr(0, own.size() / 2), private_key), HasSubstr("damaged"));
  auto damaged = own;
  damaged[100] = '!';
  EXPECT_THAT(refusal(damaged, private_key), HasSubstr("damaged"));
  EXPECT_THAT(refusal(own, "no key"), HasSubstr("no readable private key"));
  EXPECT_THAT(refusal(own, x509::pem(authority_key.get())), HasSubstr("does not belong"));
  const auto stranger_key = x509::make_key();
  const auto stranger =
      x509::make_authority(stranger_key.get(), "A stranger", now - 24h, now + 240h);
  EXPECT_THAT(refusal(own + x509::pem(stranger.get()), private_key),
              HasSubstr("signs none of the others: /CN=A stranger"));
  const auto old = x509::make_server(key.get(), {"shop.example.com"}, now - 48h, now - 24h,
                                     authority.get(), authority_key.get());
  EXPECT_THAT(refusal(x509::pem(old.get()), private_key), HasSubstr("expired on"));
}

TEST_F(ServerCertificateTest, KnowsEncryptedAndWeakKeys) {
  // PKCS#8 that is encrypted begins so, whatever follows.
  EXPECT_THAT(refusal(own,
                      "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
                      "DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n"
                      "AAAAAAAAAAAAAAAAAAAAAA==\n-----END RSA PRIVATE KEY-----\n"),
              HasSubstr("encrypted with a passphrase"));
}

TEST(Covers, AWildcardIsGoodForOneLabel) {
  EXPECT_TRUE(covers({"*.example.com"}, "www.example.com"));
  EXPECT_TRUE(covers({"*.example.com"}, "*.example.com"));
  EXPECT_FALSE(covers({"*.example.com"}, "example.com"));
  EXPECT_FALSE(covers({"*.example.com"}, "a.b.example.com"));
  EXPECT_FALSE(covers({}, "example.com"));
}

}  // namespace
}  // namespace renga::crypto
