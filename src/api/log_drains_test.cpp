#include <gmock/gmock.h>

#include "api/testing/world.h"

namespace renga::api {
namespace {

using testing::HasSubstr;
using testing::Not;

class LogDrainsTest : public World {};

TEST_F(LogDrainsTest, AreAddedListedAndRemovedAsHerokuDoes) {
  const std::string url = "https://ada:secret@logs.example.com/intake?key=hidden&x";
  const auto made =
      json(send("POST", "/apps/sushi/log-drains", R"({"url": ")" + url + R"("})"), 201);
  expect_fits("log-drain", made);
  EXPECT_EQ(text_at(made, "url"), "https://ada:****@logs.example.com/intake?key=****&****");
  EXPECT_THAT(text_at(made, "token"), testing::StartsWith("d."));
  expect_fits("log-drain", get("/apps/sushi/log-drains"));
  expect_fits("log-drain", get("/apps/sushi/log-drains/" + text_at(made, "id")));

  logs.settle();
  std::string log;
  for (const auto& line : logs.last(sushi.id, {}, 100)) log += line.line.message + "\n";
  EXPECT_THAT(log, HasSubstr("Add log drain d."));
  EXPECT_THAT(log, Not(HasSubstr("secret")));

  expect_error(send("POST", "/apps/sushi/log-drains", R"({"url": ")" + url + R"("})"), 422,
               "invalid_params");
  const auto removed = json(send("DELETE", "/apps/sushi/log-drains/" + text::url_encode(url)));
  EXPECT_EQ(text_at(removed, "id"), text_at(made, "id"));
  EXPECT_TRUE(get("/apps/sushi/log-drains").as_array().empty());
  expect_error(send("DELETE", "/apps/sushi/log-drains/" + text_at(made, "token")), 404,
               "not_found");
}

TEST_F(LogDrainsTest, RefuseWhatIsNoDrain) {
  for (const auto* url :
       {"", "logs.example.com", "ftp://logs.example.com", "syslog://", "https://", "http://h:0/",
        "http://h:65536/", "syslog://h:514/path", "syslog://user:pw@h:514", "https://a b/",
        "file:///etc/passwd", "syslog+udp://h", "https://h\\u0000/", "gopher://h", "unix://x"})
    expect_error(
        send("POST", "/apps/sushi/log-drains", R"({"url": ")" + std::string(url) + R"("})"), 422,
        "invalid_params");
  expect_error(send("POST", "/apps/sushi/log-drains",
                    R"({"url": "https://h/)" + std::string(3'000, 'x') + R"("})"),
               422, "invalid_params");
  for (int i = 0; i < 5; ++i)
    json(send("POST", "/apps/sushi/log-drains",
              fmt::format(R"({{"url": "syslog://logs{}.example.com"}})", i)),
         201);
  expect_error(send("POST", "/apps/sushi/log-drains", R"({"url": "syslog://six.example.com"})"),
               422, "invalid_params");
  expect_error(send("GET", "/apps/sushi/log-drains", "", as_bob()), 404, "not_found");
  expect_error(
      send("POST", "/apps/sushi/log-drains", R"({"url": "syslog://h.example.com"})", as_bob()), 404,
      "not_found");
}

}  // namespace
}  // namespace renga::api
