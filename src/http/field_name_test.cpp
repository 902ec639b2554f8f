#include "http/field_name.h"

#include <gtest/gtest.h>

#include <string>

#include "http/parser.h"

namespace renga::http {
namespace {

// Of every length that is looked at in another way.
template <LowerCase name>
void agrees_with_its_letters() {
  const std::string lower(name.text, name.size());
  EXPECT_TRUE(named<name>(lower));
  EXPECT_FALSE(named<name>(lower + lower.back()));
  EXPECT_FALSE(named<name>(std::string_view(lower).substr(1)));
  for (std::size_t at = 0; at < lower.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      auto sent = lower;
      sent[at] = static_cast<char>(byte);
      ASSERT_EQ(named<name>(sent), same_name(sent, lower)) << lower << ", " << byte << " at " << at;
    }
  }
}

TEST(FieldName, IsFoundInEitherCaseAndNothingElseIs) {
  agrees_with_its_letters<"x">();
  agrees_with_its_letters<"te">();
  agrees_with_its_letters<"via">();
  agrees_with_its_letters<"host">();
  agrees_with_its_letters<"100-abc">();
  agrees_with_its_letters<"x-a_b.c1">();
  agrees_with_its_letters<"connection">();
  agrees_with_its_letters<"x-forwarded-port">();
  agrees_with_its_letters<"proxy-authorization">();
}

}  // namespace
}  // namespace renga::http
