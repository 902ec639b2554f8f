#include "net/frames.h"

#include <gtest/gtest.h>

namespace renga::net {
namespace {

std::string read_all(FrameReader& reader, std::string_view bytes) {
  std::string seen;
  const bool good = reader.feed(bytes, [&](char type, std::string_view content) {
    (seen += type) += std::string(content) + ";";
  });
  return good ? seen : "broken";
}

TEST(Frames, AreReadHoweverTheyAreCut) {
  const auto bytes = frame('I', std::string("a\0\x04", 3)) + frame('E', "") + frame('I', "xyz");
  const std::string want = std::string("Ia\0\x04;", 5) + "E;Ixyz;";
  FrameReader whole;
  EXPECT_EQ(read_all(whole, bytes), want);
  FrameReader single;
  std::string seen;
  for (const char byte : bytes) seen += read_all(single, {&byte, 1});
  EXPECT_EQ(seen, want);
}

TEST(Frames, ThatAreTooLongAreNone) {
  FrameReader reader;
  EXPECT_EQ(read_all(reader, "GET / HTTP/1.1\r\n"), "broken");
  EXPECT_EQ(read_all(reader, frame('I', "a")), "broken");
  FrameReader longest;
  const std::string content(longest_frame, 'x');
  EXPECT_EQ(read_all(longest, frame('I', content)), "I" + content + ";");
  EXPECT_THROW(frame('I', content + "x"), std::length_error);
}

}  // namespace
}  // namespace renga::net
