#include "server/listening.h"

#include <gtest/gtest.h>

#include <barrier>
#include <future>
#include <thread>
#include <vector>

namespace renga::server {
namespace {

struct Heard {
  std::vector<int>& news;
};

TEST(Listening, TellsThoseWhoAreThere) {
  Listening<Heard> listening;
  std::vector<int> news;
  const auto tell = [&](int what) {
    listening.news([&](Heard& heard) { heard.news.push_back(what); });
  };
  tell(1);
  listening.begin({news});
  tell(2);
  listening.end();
  tell(3);
  EXPECT_EQ(news, std::vector<int>{2});
}

// Each waits, while it tells, for the other to tell: as two do that want one another's lock.
TEST(Listening, HoldsNobodyUpWhileItTells) {
  Listening<Heard> listening;
  std::vector<int> news;
  listening.begin({news});
  std::barrier both(2);
  const auto tell = [&] {
    listening.news([&](Heard&) {
      both.arrive_and_wait();
      listening.news([](Heard& heard) { EXPECT_TRUE(heard.news.empty()); });
    });
  };
  std::jthread other(tell);
  tell();
}

TEST(Listening, EndsWhenTheLastHasBeenTold) {
  Listening<Heard> listening;
  std::vector<int> news;
  listening.begin({news});
  std::promise<void> inside, go;
  std::jthread teller([&] {
    listening.news([&](Heard& heard) {
      inside.set_value();
      go.get_future().wait();
      heard.news.push_back(1);
    });
  });
  inside.get_future().wait();
  auto ended = std::async(std::launch::async, [&] { listening.end(); });
  go.set_value();
  ended.wait();
  EXPECT_EQ(news.size(), 1U);
}

}  // namespace
}  // namespace renga::server
