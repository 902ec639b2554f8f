#include "crypto/totp.h"

#include <gtest/gtest.h>

namespace renga::crypto {
namespace {

// RFC 6238, appendix B, the last six of its eight digits.
TEST(TotpTest, MakesTheCodesOfTheStandard) {
  const std::string secret = "12345678901234567890";
  const auto at = [&](std::int64_t seconds) {
    return totp_code(secret, totp_step(Time(std::chrono::seconds(seconds))));
  };
  EXPECT_EQ(at(59), "287082");
  EXPECT_EQ(at(1111111109), "081804");
  EXPECT_EQ(at(1234567890), "005924");
  EXPECT_EQ(at(20000000000), "353130");
}

// RFC 4648, section 10.
TEST(TotpTest, WritesBase32) {
  EXPECT_EQ(base32(""), "");
  EXPECT_EQ(base32("f"), "MY");
  EXPECT_EQ(base32("foob"), "MZXW6YQ");
  EXPECT_EQ(base32("foobar"), "MZXW6YTBOI");
  EXPECT_EQ(base32(totp_secret()).size(), 32U);
  EXPECT_NE(totp_secret(), totp_secret());
}

}  // namespace
}  // namespace renga::crypto
