#include <gtest/gtest.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/password.h"

namespace renga::crypto {
namespace {

TEST(Digest, IsWhatTheStandardSays) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, IsTheSameInPieces) {
  Sha256 digest;
  digest.update("a");
  Sha256 moved = std::move(digest);
  moved.update("");
  moved.update("bc");
  EXPECT_EQ(moved.finish(), sha256("abc"));
  EXPECT_THROW(moved.finish(), std::logic_error);
  EXPECT_THROW(moved.update("d"), std::logic_error);
}

TEST(Digest, ComparesWholeTexts) {
  EXPECT_TRUE(equal_in_constant_time("token", "token"));
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_FALSE(equal_in_constant_time("token", "tokem"));
  EXPECT_FALSE(equal_in_constant_time("token", "token1"));
}

TEST(Password, MatchesOnlyItself) {
  const auto hash = hash_password("correct horse");
  EXPECT_TRUE(hash.starts_with("$argon2id$")) << hash;
  EXPECT_TRUE(password_matches("correct horse", hash));
  EXPECT_FALSE(password_matches("correct horsf", hash));
  EXPECT_FALSE(password_matches("", hash));
  EXPECT_FALSE(password_matches("correct horse", "not a hash"));
}

TEST(Password, IsSaltedEachTime) { EXPECT_NE(hash_password("same"), hash_password("same")); }

// RFC 4231, test case 2.
TEST(Digest, SignsWithHmacSha256) {
  const auto signature = hmac_sha256("Jefe", "what do ya want for nothing?");
  EXPECT_EQ(text::hex({reinterpret_cast<const unsigned char*>(signature.data()), signature.size()}),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

}  // namespace
}  // namespace renga::crypto
