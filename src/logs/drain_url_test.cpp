#include "logs/drain_url.h"

#include <gtest/gtest.h>

#include <random>

namespace renga::logs {
namespace {

TEST(DrainUrl, KnowsSchemesAndTheirPorts) {
  const auto url = [](const char* text) { return DrainUrl::parse(text).value(); };
  EXPECT_EQ(url("https://logs.example.com/x").port, 443);
  EXPECT_EQ(url("http://logs.example.com").port, 80);
  EXPECT_EQ(url("syslog+tls://logs.example.com").port, 6514);
  EXPECT_EQ(url("SYSLOG://logs.example.com:514").port, 514);
  EXPECT_EQ(url("syslog+tls://[2001:db8::1]:99").to_connect(), "https://[2001:db8::1]:99");
  EXPECT_EQ(url("syslog://logs.example.com").to_connect(), "http://logs.example.com:601");
}

TEST(DrainUrl, ShowsNoSecret) {
  EXPECT_EQ(shown("https://u:p@h/x?a=1&b=2#f"), "https://u:****@h/x?a=****&b=****");
  EXPECT_EQ(shown("https://token@h:9/"), "https://****@h:9/");
  EXPECT_EQ(shown("https://u:p@w@h/"), "https://u:****@h/");
  EXPECT_EQ(shown("syslog://h:514"), "syslog://h:514");
  EXPECT_EQ(shown("nonsense"), "****");
}

// Whatever comes, it is refused, or what libcurl connects to is the host that was looked at.
TEST(DrainUrl, SurvivesAnything) {
  std::mt19937 random(7);
  const std::string alphabet = "htps:/@[]?#&=.%0aA1-\\~\x7f\n ";
  for (int i = 0; i < 20'000; ++i) {
    std::string text = i % 3 == 0 ? "https://" : i % 3 == 1 ? "syslog+tls://" : "";
    for (auto left = random() % 40; left > 0; --left) text += alphabet[random() % alphabet.size()];
    const auto url = DrainUrl::parse(text);
    if (url) {
      EXPECT_FALSE(url->host.empty()) << text;
      EXPECT_TRUE(url->port > 0 && url->port < 65'536) << text;
    }
    shown(text);
  }
}

}  // namespace
}  // namespace renga::logs
