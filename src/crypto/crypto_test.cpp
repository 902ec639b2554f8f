#include <gtest/gtest.h>

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

}  // namespace
}  // namespace renga::crypto
