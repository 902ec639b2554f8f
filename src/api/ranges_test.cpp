#include "api/ranges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace renga::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<Order<int>> by_version = {
    by_number<int>("version", [](int version) { return version; })};
std::vector<int> up_to(int last) {
  std::vector<int> versions;
  for (int version = last; version > 0; --version) versions.push_back(version);
  return versions;
}
Answer read(std::string_view range, const std::vector<int>& versions) {
  return list(range, versions, by_version, [](int version) { return json::value(version); });
}
std::vector<int> numbers(const Answer& answer) {
  std::vector<int> all;
  for (const auto& number : answer.body.as_array())
    all.push_back(static_cast<int>(number.as_int64()));
  return all;
}

TEST(Ranges, GiveAllInOrderWithoutAHeader) {
  const auto answer = read("", up_to(3));
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(numbers(answer), ElementsAre(1, 2, 3));
  EXPECT_FALSE(answer.headers.has("Next-Range"));
  EXPECT_EQ(answer.headers.value_or("Accept-Ranges", ""), "version");
}

TEST(Ranges, AreReadAsClientsWriteThem) {
  for (const auto* newest :
       {"version ..; order=desc,max=1", "version ..; max=1, order=desc",
        "version ..; max=1, order=desc;", "max=1, order=desc", "version; order=desc max=1"}) {
    const auto answer = read(newest, up_to(9));
    EXPECT_EQ(answer.status, 206) << newest;
    EXPECT_THAT(numbers(answer), ElementsAre(9)) << newest;
  }
  EXPECT_THAT(numbers(read("version 3..5", up_to(9))), ElementsAre(3, 4, 5));
  EXPECT_THAT(numbers(read("version ]3..5", up_to(9))), ElementsAre(4, 5));
  EXPECT_THAT(numbers(read("version 3..5; order=desc", up_to(9))), ElementsAre(5, 4, 3));
  EXPECT_THAT(numbers(read("version ..; max=1000;", up_to(3))), ElementsAre(1, 2, 3));
}

TEST(Ranges, LeadThroughAListPageByPage) {
  for (const std::string order : {"", ", order=desc"}) {
    std::vector<int> all;
    std::string range = "version ..; max=4" + order;
    int pages = 0;
    while (!range.empty() && ++pages < 10) {
      const auto answer = read(range, up_to(10));
      for (const auto number : numbers(answer)) all.push_back(number);
      range = answer.headers.value_or("Next-Range", "");
      EXPECT_EQ(answer.status, range.empty() ? 200 : 206);
    }
    EXPECT_EQ(pages, 3);
    auto expected = up_to(10);
    if (order.empty()) std::ranges::reverse(expected);
    EXPECT_EQ(all, expected);
  }
}

TEST(Ranges, SayWhereThePageIs) {
  const auto answer = read("version ..; max=2", up_to(5));
  EXPECT_EQ(answer.headers.value_or("Content-Range", ""), "version 1..2; max=2");
  EXPECT_EQ(answer.headers.value_or("Next-Range", ""), "version ]2..; max=2");
}

TEST(Ranges, KeepWhatIsEqualOnOnePage) {
  const std::vector<int> seconds = {1, 2, 2, 2, 3};
  EXPECT_THAT(numbers(read("version ..; max=2", seconds)), ElementsAre(1, 2, 2, 2));
}

TEST(Ranges, RefuseWhatMakesNoSense) {
  for (const auto* bad :
       {"name ..", "version a..", "version 1", "max=0", "max=-1", "max=many",
        "version ..; order=sideways", "version ..; color=blue", "version .. ..", "!"}) {
    const auto answer = read(bad, up_to(3));
    EXPECT_EQ(answer.status, 416) << bad;
    EXPECT_EQ(answer.body.at("id").as_string(), "requested_range_not_satisfiable");
    EXPECT_THAT(answer.body.at("message").as_string().c_str(), HasSubstr("Range"));
  }
}

TEST(Ranges, NeverGiveMoreThanAThousand) {
  EXPECT_EQ(read("max=5000", up_to(1'200)).body.as_array().size(), 1'000U);
  EXPECT_EQ(read("", up_to(1'200)).body.as_array().size(), 200U);
}

}  // namespace
}  // namespace renga::api
