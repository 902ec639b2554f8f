// What every call has in common, whatever it is for.
#include "api/conventions.h"

#include <gmock/gmock.h>

#include "api/json_text.h"
#include "api/routes.h"
#include "api/testing/world.h"

namespace renga::api {
namespace {

using testing::HasSubstr;
using ConventionsTest = World;

TEST_F(ConventionsTest, AnswersAreCheckedAgainstHerokusSchema) {
  if (!schema.there())
    GTEST_SKIP() << "Heroku's schema is not here (RENGA_PLATFORM_SCHEMA): answers were not checked "
                    "against it";
  EXPECT_FALSE(schema.flaws("app", boost::json::object{{"id", 1}}).empty());
}

TEST_F(ConventionsTest, ServesVersion3InAnyVariantAndWhoDoesNotAskForOne) {
  for (const auto* accept :
       {"", "*/*", "application/json", "application/vnd.heroku+json",
        "application/vnd.heroku+json; version=3", "application/vnd.heroku+json; version=3.sdk",
        "application/vnd.heroku+json;version=\"3\"", "text/html, */*;q=0.1"})
    EXPECT_EQ(send("GET", "/account", "", {{"Accept", accept}}).status, 200) << accept;
}

TEST_F(ConventionsTest, RefusesOtherVersions) {
  for (const auto* accept :
       {"application/vnd.heroku+json; version=2", "application/vnd.heroku+json; version=4",
        "application/vnd.heroku+json; version=33", "text/html"})
    expect_error(send("GET", "/account", "", {{"Accept", accept}}), 406, "not_acceptable");
}

TEST_F(ConventionsTest, KnowsBearerAndBasic) {
  const auto basic = [](const std::string& user, const std::string& token) {
    return Fields{{"Authorization", "Basic " + text::base64(user + ":" + token)}};
  };
  EXPECT_EQ(send("GET", "/account", "", basic("", ada_token)).status, 200);
  EXPECT_EQ(send("GET", "/account", "", basic("heroku", ada_token)).status, 200);
  EXPECT_EQ(send("GET", "/account", "", {{"Authorization", "bearer  " + ada_token}}).status, 200);
}

TEST_F(ConventionsTest, RefusesWrongCredentials) {
  for (const auto& header : std::vector<std::string>{"", "Bearer wrong", "Bearer", "Basic !!!",
                                                     "Digest x", "Basic " + text::base64("a:b")}) {
    const auto refused = send("GET", "/apps", "", {{"Authorization", header}});
    expect_error(refused, 401, "unauthorized");
    EXPECT_TRUE(refused.headers.has("WWW-Authenticate"));
  }
}

TEST_F(ConventionsTest, HoldsTokensToTheirScope) {
  const auto with = [&](const std::string& scope) {
    return Fields{{"Authorization",
                   "Bearer " + authorizations.create(ada.id, "", {scope}, {}).value().token}};
  };
  EXPECT_EQ(send("GET", "/account", "", with("identity")).status, 200);
  expect_error(send("GET", "/apps", "", with("identity")), 403, "forbidden");
  EXPECT_EQ(send("GET", "/apps/sushi", "", with("read")).status, 200);
  expect_error(send("GET", "/apps/sushi/config-vars", "", with("read")), 403, "forbidden");
  EXPECT_EQ(send("GET", "/apps/sushi/config-vars", "", with("read-protected")).status, 200);
  expect_error(send("PATCH", "/apps/sushi", "{}", with("read-protected")), 403, "forbidden");
  EXPECT_EQ(send("PATCH", "/apps/sushi", "{}", with("write")).status, 200);
  expect_error(send("POST", "/oauth/authorizations", "{}", with("write-protected")), 403,
               "forbidden");
}

TEST_F(ConventionsTest, TellsWhatIsNowhere) {
  expect_error(send("GET", "/"), 404, "not_found");
  expect_error(send("GET", "/nothing/here"), 404, "not_found");
  expect_error(send("GET", "/apps/sushi/nothing"), 404, "not_found");
  expect_error(send("GET", "/nothing", "", {{"Authorization", ""}}), 404, "not_found");
}

TEST_F(ConventionsTest, TellsWhichMethodsAPathHas) {
  const auto refused = send("PUT", "/apps/sushi");
  expect_error(refused, 405, "method_not_allowed");
  EXPECT_EQ(refused.headers.value_or("Allow", ""), "GET, PATCH, DELETE");
  const auto options = send("OPTIONS", "/apps");
  EXPECT_EQ(options.status, 204);
  EXPECT_THAT(std::string(options.headers.value_or("Allow", "")), HasSubstr("POST"));
  EXPECT_EQ(send("HEAD", "/apps/sushi").status, 200);
}

TEST_F(ConventionsTest, ForgivesSlashesTooMany) {
  EXPECT_EQ(send("GET", "//account/").status, 200);
}

TEST_F(ConventionsTest, RefusesWhatIsNotAJsonObject) {
  for (const auto* body : {"{", "[]", "\"x\"", "{\"name\": }", "name=x", "{\"a\":1} {}"})
    expect_error(send("POST", "/apps", body), 400, "bad_request");
}

TEST_F(ConventionsTest, RefusesWrongTypesByName) {
  const auto refused = send("PATCH", "/apps/sushi", R"({"maintenance": "yes"})");
  expect_error(refused, 422, "invalid_params");
  EXPECT_THAT(refused.body, HasSubstr("maintenance"));
}

TEST_F(ConventionsTest, EchoesRequestIds) {
  const auto answer = send("GET", "/account", "", {{"Request-Id", "one,two, one,bad id!,"}});
  const std::string ids(answer.headers.value_or("Request-Id", ""));
  EXPECT_TRUE(ids.starts_with("one,two,")) << ids;
  EXPECT_TRUE(is_uuid(ids.substr(8))) << ids;
  EXPECT_TRUE(send("GET", "/nowhere").headers.has("Request-Id"));
}

TEST_F(ConventionsTest, CountsCalls) {
  EXPECT_EQ(send("GET", "/account").headers.value_or("RateLimit-Remaining", ""), "4499");
  const auto limits = get("/account/rate-limits");
  expect_fits("rate-limit", limits);
  EXPECT_EQ(limits.at("remaining").as_int64(), 4499);
  for (int i = 0; i < 4499; ++i) send("GET", "/account");
  expect_error(send("GET", "/account"), 429, "rate_limit");
  EXPECT_EQ(send("GET", "/account", "", as_bob()).status, 200);
  clock.advance(std::chrono::minutes(1));
  EXPECT_EQ(send("GET", "/account").headers.value_or("RateLimit-Remaining", ""), "74");
}

TEST_F(ConventionsTest, SparesWhatTheClientHas) {
  const auto first = send("GET", "/apps/sushi");
  const std::string tag(first.headers.value_or("ETag", ""));
  ASSERT_FALSE(tag.empty());
  const auto second = send("GET", "/apps/sushi", "", {{"If-None-Match", "\"x\", W/" + tag}});
  EXPECT_EQ(second.status, 304);
  EXPECT_EQ(second.body, "");
  EXPECT_EQ(second.headers.value_or("ETag", ""), tag);
  send("PATCH", "/apps/sushi", R"({"maintenance": true})");
  EXPECT_EQ(send("GET", "/apps/sushi", "", {{"If-None-Match", tag}}).status, 200);
}

TEST_F(ConventionsTest, PagesLists) {
  for (int i = 0; i < 5; ++i) send("POST", "/apps", fmt::format(R"({{"name": "app-{}"}})", i));
  const auto page = send("GET", "/apps", "", {{"Range", "name ..; max=2"}});
  EXPECT_EQ(json(page, 206).as_array().size(), 2U);
  EXPECT_EQ(page.headers.value_or("Next-Range", ""), "name ]app-1..; max=2");
  EXPECT_EQ(page.headers.value_or("Accept-Ranges", ""), "name, id, updated_at");
  expect_error(send("GET", "/apps", "", {{"Range", "color .."}}), 416,
               "requested_range_not_satisfiable");
}

TEST_F(ConventionsTest, PagesSmallListsThatAreAskedFor) {
  deploy();
  const auto page =
      send("GET", "/apps/sushi/formation", "", {{"Range", "type ..; order=desc, max=1"}});
  EXPECT_EQ(text_at(json(page, 206).at(0), "type"), "worker");
  const std::string next(page.headers.value_or("Next-Range", ""));
  EXPECT_EQ(next, "type ]worker..; max=1, order=desc");
  const auto rest = send("GET", "/apps/sushi/formation", "", {{"Range", next}});
  EXPECT_EQ(text_at(json(rest).at(0), "type"), "web");
  EXPECT_FALSE(rest.headers.has("Next-Range"));

  json(send("PUT", "/apps/sushi/buildpack-installations",
            R"({"updates": [{"buildpack": "heroku/python"}, {"buildpack": "heroku/procfile"}]})"));
  const auto last =
      json(send("GET", "/apps/sushi/buildpack-installations", "", {{"Range", "ordinal 1.."}}));
  ASSERT_EQ(last.as_array().size(), 1U);
  EXPECT_EQ(last.at(0).at("ordinal"), 1);
  expect_error(send("GET", "/apps/sushi/buildpack-installations", "", {{"Range", "ordinal one.."}}),
               416, "requested_range_not_satisfiable");

  // Unasked, they are whole and in the order that people expect: sizes by what they cost.
  EXPECT_EQ(text_at(get("/dyno-sizes").at(0), "name"), dynos::Sizes::usual().all()[0].name);
}

TEST_F(ConventionsTest, EveryListOfAnAppSaysWhatItIsOrderedBy) {
  deploy();
  for (const auto& row : routes()) {
    if (row.method != "GET" || row.form != Form::json) continue;
    const auto path = text::replace_all(std::string(row.path), "{app}", "sushi");
    if (path.find('{') != path.npos) continue;
    const auto answer = send("GET", path);
    if (answer.status != 200 || !boost::json::parse(answer.body).is_array()) continue;
    EXPECT_NE(answer.headers.value_or("Accept-Ranges", ""), "") << path;
    expect_error(send("GET", path, "", {{"Range", "color .."}}), 416,
                 "requested_range_not_satisfiable");
  }
}

TEST_F(ConventionsTest, ChallengesGit) {
  const auto asked =
      send("GET", "/sushi.git/info/refs?service=git-receive-pack", "", {{"Authorization", ""}});
  EXPECT_EQ(asked.status, 401);
  EXPECT_EQ(asked.headers.value_or("WWW-Authenticate", ""), "Basic realm=\"renga\"");
  EXPECT_THAT(std::string(asked.headers.value_or("Content-Type", "")), HasSubstr("text/plain"));
  const auto strange = send("GET", "/sushi.git/info/refs?service=git-receive-pack", "", as_bob());
  EXPECT_EQ(strange.status, 404);
  EXPECT_EQ(send("GET", "/sushi.git/info/refs").status, 403);
}

TEST_F(ConventionsTest, StreamsOnlyWhatIsLarge) {
  const auto streams = [&](const std::string& method, const std::string& path) {
    return api.route(request(method, path)).stream_body;
  };
  EXPECT_TRUE(streams("POST", "/sushi.git/git-receive-pack"));
  EXPECT_TRUE(streams("PUT", "/uploads/sources/x"));
  EXPECT_FALSE(streams("POST", "/apps"));
  EXPECT_FALSE(streams("POST", "/nowhere"));
}

TEST_F(ConventionsTest, EveryRouteIsFoundByItsOwnPath) {
  const RouteTable table;
  for (const auto& row : routes()) {
    const auto match = table.find(row.method, row.path);
    ASSERT_NE(match.row, nullptr) << row.path;
    EXPECT_EQ(match.row->handler, row.handler) << row.method << " " << row.path;
  }
  EXPECT_EQ(table.find("GET", "/buildpacks/heroku%2Fpython").params.at("buildpack"),
            "heroku/python");
}

TEST_F(ConventionsTest, WhatLeavesIsAlwaysValidJson) {
  const auto text =
      json_text(boost::json::object{{"a", "\xff\"\n\x01 \xE2\x82\xAC \xED\xA0\x80"}, {"b", 0.5}});
  boost::system::error_code error;
  const auto value = boost::json::parse(text, error);
  ASSERT_FALSE(error) << text;
  EXPECT_EQ(text_at(value, "a"),
            "\xEF\xBF\xBD\"\n\x01 \xE2\x82\xAC \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_THAT(text, HasSubstr("\"b\": 0.5"));
}

}  // namespace
}  // namespace renga::api
