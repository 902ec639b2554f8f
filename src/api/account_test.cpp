// Accounts, authorizations, and what this server truthfully has none of.
#include <gmock/gmock.h>

#include "api/testing/world.h"

namespace renga::api {
namespace {

using testing::HasSubstr;
using AccountTest = World;

TEST_F(AccountTest, TellsAndChangesOnesOwn) {
  expect_fits("account", get("/account"));
  EXPECT_EQ(get("/users/~"), get("/account"));
  EXPECT_EQ(get("/users/ada@example.com"), get("/account"));
  expect_error(send("GET", "/users/bob@example.com"), 404, "not_found");
  EXPECT_EQ(text_at(json(send("PATCH", "/account", R"({"name": "Ada L."})")), "name"), "Ada L.");
  expect_error(send("PATCH", "/account", R"({"email": "bob@example.com"})"), 422, "invalid_params");
  expect_error(send("PATCH", "/account", R"({"name": 1})"), 422, "invalid_params");
}

TEST_F(AccountTest, MakesListsAndRevokesTokens) {
  const auto made = json(send("POST", "/oauth/authorizations",
                              R"({"description": "CI", "scope": ["read"], "expires_in": 3600})"),
                         201);
  expect_fits("oauth-authorization", made);
  EXPECT_EQ(made.at("access_token").at("expires_in").as_int64(), 3600);
  const auto token = text_at(made.at("access_token"), "token");
  EXPECT_EQ(send("GET", "/apps", "", {{"Authorization", "Bearer " + token}}).status, 200);

  const auto all = get("/oauth/authorizations");
  expect_fits("oauth-authorization", all);
  int own = 0;
  for (const auto& one : all.as_array()) {
    own += text_at(one.at("access_token"), "token") == ada_token ? 1 : 0;
    EXPECT_EQ(boost::json::serialize(one).find(token), std::string::npos);
  }
  EXPECT_EQ(own, 1);

  const auto path = "/oauth/authorizations/" + text_at(made, "id");
  expect_fits("oauth-authorization", get(path));
  const auto renewed = json(send("POST", path + "/actions/regenerate-tokens"), 201);
  EXPECT_NE(text_at(renewed.at("access_token"), "token"), token);
  expect_error(send("GET", "/apps", "", {{"Authorization", "Bearer " + token}}), 401,
               "unauthorized");
  json(send("DELETE", path));
  expect_error(send("GET", path), 404, "not_found");
}

TEST_F(AccountTest, RefusesImpossibleTokens) {
  for (const auto* body :
       {R"({"scope": ["everything"]})", R"({"scope": "read"})", R"({"expires_in": -1})",
        R"({"expires_in": 99999999999})", R"({"expires_in": "soon"})", R"({"scope": [1]})"})
    expect_error(send("POST", "/oauth/authorizations", body), 422, "invalid_params");
}

TEST_F(AccountTest, SignsInWithAPasswordOnlyToMakeATokenAndNotTooOften) {
  ASSERT_TRUE(people.set_password(ada.id, "correct horse battery"));
  const auto with = [](const std::string& password) {
    return Fields{{"Authorization", "Basic " + text::base64("ada@example.com:" + password)}};
  };
  const auto made = json(send("POST", "/oauth/authorizations", R"({"scope": ["global"]})",
                              with("correct horse battery")),
                         201);
  EXPECT_EQ(text_at(made.at("user"), "email"), "ada@example.com");
  expect_error(send("GET", "/account", "", with("correct horse battery")), 401, "unauthorized");
  int refused = 0;
  http::Response last;
  for (int i = 0; i < 25 && last.status != 429; ++i, ++refused)
    last = send("POST", "/oauth/authorizations", "{}", with("wrong"));
  expect_error(last, 429, "rate_limit");
  EXPECT_EQ(refused, 20);
}

TEST_F(AccountTest, LetsClientsSignOut) {
  for (const auto& [method, path, resource] :
       std::vector<std::tuple<const char*, const char*, const char*>>{
           {"DELETE", "/oauth/sessions/~", "session"},
           {"GET", "/oauth/authorizations/~", "authorization"}}) {
    const auto answer = send(method, path);
    expect_error(answer, 404, "not_found");
    EXPECT_EQ(text_at(boost::json::parse(answer.body), "resource"), resource);
  }
}

TEST_F(AccountTest, DescribesThePlatform) {
  expect_fits("stack", get("/stacks"));
  expect_fits("stack", get("/stacks/host"));
  expect_fits("stack", get("/apps/sushi/available-stacks"));
  expect_fits("region", get("/regions"));
  expect_fits("region", get("/regions/local"));
  expect_fits("generation", get("/generations"));
  expect_fits("account-feature", get("/account/features"));
  EXPECT_TRUE(get("/account/features/dashboard-repositories-api").at("enabled").as_bool());
  for (const auto* path : {"/stacks/x", "/regions/x", "/generations/x", "/account/features/x"})
    expect_error(send("GET", path), 404, "not_found");
}

TEST_F(AccountTest, HasTruthfullyEmptyLists) {
  for (const auto* path :
       {"/addons", "/addon-attachments", "/apps/sushi/addons", "/apps/sushi/addon-attachments",
        "/pipelines?eq[name]=x", "/teams", "/spaces", "/account/keys", "/apps/sushi/webhooks",
        "/apps/sushi/sni-endpoints", "/oauth/sessions", "/oauth/clients"})
    EXPECT_EQ(boost::json::serialize(get(path)), "[]") << path;
  expect_error(send("GET", "/apps/sushi/pipeline-couplings"), 404, "not_found");
  expect_error(send("GET", "/apps/nigiri/addons"), 404, "not_found");
}

TEST_F(AccountTest, SaysWhatIsNoPartOfIt) {
  for (const auto* path :
       {"/enterprise-accounts", "/enterprise-accounts/x/members", "/spaces/x", "/account/credits",
        "/spaces/x/vpn-connections", "/account/invoices/1", "/users/~/sms-number"}) {
    const auto refused = send("GET", path);
    expect_error(refused, 404, "not_found");
    EXPECT_THAT(refused.body, HasSubstr("not part of this server")) << path;
  }
  for (const auto* path : {"/teams/x", "/teams/x/members", "/review-apps/x",
                           "/test-runs/x/test-nodes", "/apps/sushi/webhooks/x", "/oauth/clients/x"})
    expect_error(send("GET", path), 404, "not_found");
}

TEST_F(AccountTest, RefusesToMakeWhatIsNotOffered) {
  const auto refused = send("POST", "/apps/sushi/oci-images", "{}");
  expect_error(refused, 422, "unsupported");
  EXPECT_THAT(refused.body, HasSubstr("POST oci images"));
  for (const auto* path :
       {"/teams", "/review-apps", "/oauth/clients", "/test-runs", "/telemetry-drains"})
    expect_error(send("POST", path, "{}"), 422, "unsupported");
  const auto resolved =
      send("POST", "/actions/addons/resolve", R"({"addon": "x", "app": "sushi"})");
  expect_error(resolved, 404, "not_found");
  EXPECT_EQ(text_at(boost::json::parse(resolved.body), "resource"), "add_on");
}

}  // namespace
}  // namespace renga::api
