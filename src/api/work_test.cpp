// What routes say of the work of answering them: those that only read wait for no write.
#include <future>
#include <thread>

#include "api/routes.h"
#include "api/testing/world.h"

namespace renga::api {
namespace {

class WorkTest : public World {
 protected:
  WorkTest() : World(Stored::in_a_file) {}

  static std::string path_to(const RouteRow& row) {
    auto path = std::string(row.path);
    for (const auto& [param, value] :
         {std::pair("{app}", "sushi"), std::pair("{user}", "~"), std::pair("{release}", "v1")})
      path = text::replace_all(path, param, value);
    return path;
  }
};

TEST_F(WorkTest, WhatOnlyReadsWaitsForNoWriteAndSeesNoneThatIsNotCommitted) {
  std::promise<void> holding, release;
  std::thread writer([&] {
    auto transaction = database.begin();
    database.run("UPDATE apps SET name = 'ramen'");
    database.run("UPDATE releases SET description = 'Later'");
    holding.set_value();
    release.get_future().wait();
    transaction.commit();
  });
  holding.get_future().wait();
  int asked = 0;
  for (const auto& row : routes()) {
    if (row.work == Work::any) continue;
    ++asked;
    ASSERT_EQ(row.method, "GET");
    ASSERT_EQ(row.form, Form::json);
    auto answer = std::async(std::launch::async, [&] { return send("GET", path_to(row)); });
    if (answer.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
      ADD_FAILURE() << row.path << " waits for a write";
      break;
    }
    const auto response = answer.get();
    EXPECT_EQ(response.status, response.headers.has("Next-Range") ? 206 : 200) << row.path;
    EXPECT_EQ(response.body.find("ramen"), std::string::npos) << row.path;
    EXPECT_EQ(response.body.find("Later"), std::string::npos) << row.path;
  }
  EXPECT_GE(asked, 5);
  release.set_value();
  writer.join();
  EXPECT_EQ(text_at(get("/apps/ramen"), "name"), "ramen");
  EXPECT_EQ(text_at(get("/apps/ramen/releases/v1"), "description"), "Later");
  expect_error(send("GET", "/apps/sushi"), 404, "not_found");
}

TEST_F(WorkTest, OnlyReadersOfAFewRowsAreAnsweredByTheConnectionsThread) {
  EXPECT_TRUE(api.route(request("GET", "/apps/sushi")).quick);
  EXPECT_TRUE(api.route(request("HEAD", "/apps/sushi")).quick);
  EXPECT_FALSE(api.route(request("GET", "/apps")).quick);
  EXPECT_FALSE(api.route(request("PATCH", "/apps/sushi")).quick);
  EXPECT_FALSE(api.route(request("GET", "/nowhere")).quick);
}

}  // namespace
}  // namespace renga::api
