// Accounts as people have them: made by an administrator, with passwords, second factors, keys and
// preferences; and given up.
#include <gmock/gmock.h>

#include "accounts/testing/public_keys.h"
#include "api/testing/world.h"
#include "apps/permissions.h"
#include "crypto/totp.h"

namespace renga::api {
namespace {

using testing::HasSubstr;

class PeopleTest : public World {
 protected:
  static Fields basic(const std::string& user, const std::string& password) {
    return {{"Authorization", "Basic " + text::base64(user + ":" + password)}};
  }
  Fields as_root() { return {{"Authorization", "Bearer " + root_token}}; }
  accounts::Account root = people.create("root@example.com", "", true).value();
  std::string root_token = authorizations.create(root.id, "", {"global"}, {}).value().token;
};

TEST_F(PeopleTest, AnAdministratorMakesAnAccountAndItsPersonSetsThePassword) {
  const auto made = json(send("POST", "/accounts", R"({"email": "dora@example.com",
      "name": "Dora"})",
                              as_root()),
                         201);
  expect_fits("account", made);
  EXPECT_FALSE(made.at("admin").as_bool());
  const auto token = text_at(made.at("password_reset"), "token");
  const auto finish = [&](const std::string& first, const std::string& second) {
    return send(
        "POST", "/password-resets/" + token + "/actions/finalize",
        fmt::format(R"({{"password": "{}", "password_confirmation": "{}"}})", first, second),
        {{"Authorization", ""}});
  };
  expect_error(finish("correct horse", "another horse"), 422, "invalid_params");
  expect_error(finish("short", "short"), 422, "invalid_params");
  const auto done = json(finish("correct horse", "correct horse"));
  expect_fits("password-reset", done);
  EXPECT_EQ(done.as_object().if_contains("token"), nullptr);
  expect_error(finish("correct horse", "correct horse"), 404, "not_found");

  const auto signed_in = json(
      send("POST", "/oauth/authorizations", "{}", basic("dora@example.com", "correct horse")), 201);
  EXPECT_EQ(text_at(signed_in.at("user"), "email"), "dora@example.com");
  expect_error(send("POST", "/accounts", R"({"email": "dora@example.com"})", as_root()), 422,
               "invalid_params");
  EXPECT_EQ(json(send("GET", "/accounts", "", as_root())).as_array().size(), 4U);

  const auto again =
      json(send("POST", "/password-resets", R"({"email": "dora@example.com"})", as_root()), 201);
  expect_fits("password-reset", again);
  EXPECT_NE(text_at(again, "token"), token);
}

TEST_F(PeopleTest, ChangesAPasswordOnlyWithThePresentOne) {
  json(send("PATCH", "/account", R"({"new_password": "first horse"})"));
  expect_error(send("PATCH", "/account", R"({"new_password": "second horse"})"), 422,
               "invalid_params");
  expect_error(send("PATCH", "/account", R"({"new_password": "second horse", "password": "no"})"),
               422, "invalid_params");
  json(send("PATCH", "/account", R"({"new_password": "second horse", "password": "first horse"})"));
  EXPECT_TRUE(people.sign_in("ada@example.com", "second horse"));
  expect_error(
      send("PATCH", "/users/ada@example.com", R"({"new_password": "third horse"})", as_root()), 403,
      "forbidden");
  expect_error(send("PATCH", "/account", R"({"admin": true})"), 403, "forbidden");
}

TEST_F(PeopleTest, AsksForASecondFactorWhenSomebodySignsIn) {
  expect_error(send("POST", "/account/two-factor"), 422, "invalid_params");
  ASSERT_TRUE(people.set_password(ada.id, "correct horse"));
  const auto begun = json(send("POST", "/account/two-factor"), 201);
  EXPECT_THAT(text_at(begun, "url"), HasSubstr("otpauth://totp/renga:ada%40example.com"));
  const auto code = [&] {
    const auto sealed = database.first("SELECT secret FROM second_factors",
                                       [](const auto& row) { return row.text(0); });
    return crypto::totp_code(box.open(*sealed, "second-factor/" + ada.id.value),
                             crypto::totp_step(clock.now()));
  };
  const auto sign_in = [&](const std::string& with) {
    auto fields = basic("ada@example.com", "correct horse");
    fields.emplace_back("Heroku-Two-Factor-Code", with);
    return send("POST", "/oauth/authorizations", "{}", fields);
  };
  EXPECT_EQ(sign_in("").status, 201);  // nothing is confirmed yet
  const auto codes = json(send("POST", "/account/two-factor/actions/confirm",
                               fmt::format(R"({{"code": "{}"}})", code())));
  EXPECT_TRUE(get("/account").at("two_factor_authentication").as_bool());

  expect_error(sign_in(""), 403, "two_factor");
  expect_error(sign_in(code()), 401, "unauthorized");  // it was used to confirm
  clock.advance(std::chrono::minutes(1));
  EXPECT_EQ(sign_in(code()).status, 201);
  const std::string recovery = codes.at("recovery_codes").as_array()[0].as_string().c_str();
  EXPECT_EQ(sign_in(recovery).status, 201);
  expect_error(sign_in(recovery), 401, "unauthorized");
  EXPECT_EQ(send("GET", "/apps").status, 200);  // a token is enough by itself

  expect_error(send("DELETE", "/account/two-factor"), 422, "invalid_params");
  expect_error(send("DELETE", "/account/two-factor", R"({"code": "000000"})"), 403, "forbidden");
  json(send("DELETE", "/users/ada@example.com/two-factor", "", as_root()));
  EXPECT_EQ(sign_in("").status, 201);
}

TEST_F(PeopleTest, KeepsSshKeys) {
  const auto line = std::string(accounts::ed25519_key) + " ada@laptop";
  const auto added =
      json(send("POST", "/account/keys", fmt::format(R"({{"public_key": "{}"}})", line)), 201);
  expect_fits("key", added);
  EXPECT_EQ(text_at(added, "public_key"), line);
  EXPECT_EQ(text_at(added, "fingerprint"), accounts::ed25519_fingerprint);
  expect_fits("key", get("/account/keys"));
  expect_fits("key", get("/account/keys/" + text_at(added, "id")));
  expect_error(send("POST", "/account/keys", R"({"public_key": "ssh-rsa"})"), 422,
               "invalid_params");
  expect_error(send("POST", "/account/keys", "{}"), 422, "invalid_params");
  const auto path = "/account/keys/" + text::url_encode(text_at(added, "fingerprint"));
  expect_error(send("DELETE", path, "", as_bob()), 404, "not_found");
  json(send("DELETE", path));
  expect_error(send("DELETE", path), 404, "not_found");
}

TEST_F(PeopleTest, KeepsPreferences) {
  expect_fits("user-preferences", get("/users/~/preferences"));
  const auto set = json(send("PATCH", "/users/~/preferences",
                             R"({"timezone": "Europe/Berlin", "dismissed-sms-banner": true})"));
  expect_fits("user-preferences", set);
  EXPECT_TRUE(set.at("dismissed-sms-banner").as_bool());
  EXPECT_EQ(get("/users/~/preferences"), set);
  for (const auto* wrong :
       {R"({"colour": "red"})", R"({"timezone": 1})", R"({"dismissed-sms-banner": "perhaps"})"})
    expect_error(send("PATCH", "/users/~/preferences", wrong), 422, "invalid_params");
  expect_error(send("GET", "/users/bob@example.com/preferences"), 404, "not_found");
  expect_error(send("GET", "/users/bob@example.com/preferences", "", as_root()), 403, "forbidden");
}

TEST_F(PeopleTest, DescribesTokensAnewAndRevokesThemByTheirOwnId) {
  const auto made = json(send("POST", "/oauth/authorizations", R"({"description": "CI"})"), 201);
  const auto path = "/oauth/authorizations/" + text_at(made, "id");
  const auto changed = json(send("PATCH", path, R"({"description": "robot"})"));
  expect_fits("oauth-authorization", changed);
  EXPECT_EQ(text_at(changed, "description"), "robot");
  expect_error(send("PATCH", path, "{}"), 422, "invalid_params");
  expect_error(send("PATCH", path, R"({"client": {"id": "x"}})"), 422, "unsupported");
  const auto token = "/oauth/tokens/" + text_at(made.at("access_token"), "id");
  expect_error(send("DELETE", token, "", as_bob()), 404, "not_found");
  expect_fits("oauth-token", json(send("DELETE", token)));
  expect_error(send("GET", path), 404, "not_found");
}

TEST_F(PeopleTest, RenewsAnAccessTokenWithItsRefreshToken) {
  const auto made = json(
      send("POST", "/oauth/authorizations", R"({"scope": ["read"], "refresh_token": true})"), 201);
  expect_fits("oauth-authorization", made);
  EXPECT_EQ(made.at("access_token").at("expires_in").as_int64(), 8 * 3600);
  const auto first = text_at(made.at("access_token"), "token");
  const auto refresh = text_at(made.at("refresh_token"), "token");
  const auto path = "/oauth/authorizations/" + text_at(made, "id");
  EXPECT_EQ(boost::json::serialize(get(path)).find(refresh), std::string::npos);
  expect_error(send("GET", "/apps", "", {{"Authorization", "Bearer " + refresh}}), 401,
               "unauthorized");

  clock.advance(std::chrono::hours(9));
  expect_error(send("GET", "/apps", "", {{"Authorization", "Bearer " + first}}), 401,
               "unauthorized");
  const auto with = [&](const std::string& token) {
    return send("POST", "/oauth/tokens",
                fmt::format(R"({{"grant": {{"type": "refresh_token"}}, "client": {{"secret": "x"}},
                                "refresh_token": {{"token": "{}"}}}})",
                            token),
                {{"Authorization", ""}});
  };
  const auto renewed = json(with(refresh), 201);
  expect_fits("oauth-token", renewed);
  EXPECT_EQ(text_at(renewed.at("refresh_token"), "token"), refresh);
  const auto second = text_at(renewed.at("access_token"), "token");
  EXPECT_EQ(send("GET", "/apps", "", {{"Authorization", "Bearer " + second}}).status, 200);
  expect_error(send("POST", "/apps", "{}", {{"Authorization", "Bearer " + second}}), 403,
               "forbidden");

  // As libraries for OAuth do it.
  const auto form =
      json(send("POST", "/oauth/token", "grant_type=refresh_token&refresh_token=" + refresh,
                {{"Authorization", ""}}));
  EXPECT_EQ(form.at("expires_in").as_int64(), 8 * 3600);
  const auto third = text_at(form, "access_token");
  EXPECT_EQ(send("GET", "/apps", "", {{"Authorization", "Bearer " + third}}).status, 200);

  // Whoever fears for one of the two has both exchanged.
  const auto rotated = json(send("POST", path + "/actions/regenerate-tokens"), 201);
  expect_error(with(refresh), 401, "unauthorized");
  expect_error(with(third), 401, "unauthorized");
  const auto last = text_at(rotated.at("refresh_token"), "token");
  json(with(last), 201);
  json(send("DELETE", "/oauth/tokens/" + text_at(rotated.at("refresh_token"), "id")));
  expect_error(with(last), 401, "unauthorized");
}

TEST_F(PeopleTest, RefusesOtherGrantsInASentence) {
  for (const auto* wrong :
       {"{}", R"({"grant": "refresh_token"})", R"({"grant": {"type": "password"}})",
        R"({"grant": {"type": "refresh_token"}})",
        R"({"grant": {"type": "refresh_token"}, "refresh_token": {}})",
        R"({"grant": {"type": "refresh_token"}, "refresh_token": {"token": 7}})"})
    expect_error(send("POST", "/oauth/tokens", wrong), 422, "invalid_params");
  expect_error(send("POST", "/oauth/tokens", R"({"grant": {"type": "authorization_code"}})"), 422,
               "unsupported");
  expect_error(send("POST", "/oauth/authorizations", R"({"refresh_token": "perhaps"})"), 422,
               "invalid_params");
}

TEST_F(PeopleTest, LeavesNothingOfAnAccountThatGoesButNoAppWithoutAnOwner) {
  expect_error(send("DELETE", "/account"), 409, "conflict");
  json(send("DELETE", "/account", "", as_bob()));
  expect_error(send("GET", "/account", "", as_bob()), 401, "unauthorized");
  expect_error(send("DELETE", "/users/root@example.com", "", as_root()), 422, "invalid_params");
  EXPECT_TRUE(get("/account/delinquency").at("scheduled_deletion_time").is_null());
}

// Sharing apps and giving them away.
using AppTransfersTest = PeopleTest;

TEST_F(AppTransfersTest, GiveAnAppToAnotherAccount) {
  const auto offered = json(
      send("POST", "/account/app-transfers", R"({"app": "sushi", "recipient": "bob@example.com"})"),
      201);
  expect_fits("app-transfer", offered);
  EXPECT_EQ(text_at(offered, "state"), "pending");
  expect_fits("app-transfer", get("/account/app-transfers"));
  const auto path = "/account/app-transfers/" + text_at(offered, "id");
  expect_fits("app-transfer", json(send("GET", path, "", as_bob())));
  expect_error(send("GET", "/apps/sushi", "", as_bob()), 404, "not_found");
  expect_error(send("PATCH", path, R"({"state": "accepted"})"), 403, "forbidden");
  expect_error(send("PATCH", path, R"({"state": "pending"})", as_bob()), 422, "invalid_params");
  expect_error(send("DELETE", path, "", as_bob()), 403, "forbidden");

  // Clients name a transfer by its app as well.
  const auto accepted =
      json(send("PATCH", "/account/app-transfers/sushi", R"({"state": "accepted"})", as_bob()));
  EXPECT_EQ(text_at(accepted, "state"), "accepted");
  EXPECT_EQ(text_at(get("/apps/sushi").at("owner"), "email"), "bob@example.com");
  expect_error(send("DELETE", "/apps/sushi"), 403, "forbidden");
  EXPECT_THAT(log(), HasSubstr("Transfer accepted by user bob@example.com"));
  json(send("DELETE", path));
}

TEST_F(AppTransfersTest, RefuseWhatCannotBe) {
  const auto offer = [&](const std::string& app, const std::string& to) {
    return send("POST", "/account/app-transfers",
                fmt::format(R"({{"app": "{}", "recipient": "{}"}})", app, to));
  };
  expect_error(offer("nigiri", "bob@example.com"), 404, "not_found");
  expect_error(offer("sushi", "nobody@example.com"), 422, "invalid_params");
  expect_error(offer("sushi", "ada@example.com"), 422, "invalid_params");
  expect_error(send("POST", "/account/app-transfers", R"({"app": "sushi"})"), 422,
               "invalid_params");
  json(offer("sushi", "bob@example.com"), 201);
  expect_error(offer("sushi", "bob@example.com"), 409, "conflict");
  json(send("PATCH", "/account/app-transfers/sushi", R"({"state": "declined"})", as_bob()));
  expect_error(send("GET", "/account/app-transfers/sushi"), 404, "not_found");
  // Whoever may manage an app may not give it away.
  ASSERT_TRUE(apps.add_collaborator(sushi.id, bob));
  ASSERT_TRUE(
      apps::Grants(database, clock).set(apps, sushi.id, bob.id.value, {apps::Permission::manage}));
  expect_error(send("POST", "/account/app-transfers",
                    R"({"app": "sushi", "recipient": "bob@example.com"})", as_bob()),
               403, "forbidden");
}

TEST_F(AppTransfersTest, LeaveAnAppInItsPipeline) {
  json(send("POST", "/pipelines", R"({"name": "food"})"), 201);
  json(send("POST", "/pipeline-couplings",
            R"({"app": "sushi", "pipeline": "food", "stage": "production"})"),
       201);
  const auto refused =
      send("POST", "/account/app-transfers", R"({"app": "sushi", "recipient": "bob@example.com"})");
  expect_error(refused, 409, "conflict");
  EXPECT_THAT(refused.body, HasSubstr("the pipeline food"));
}

TEST_F(AppTransfersTest, CollaboratorsHaveThePermissionsTheyWereGiven) {
  const auto added = json(send("POST", "/apps/sushi/collaborators",
                               R"({"user": "bob@example.com", "permissions": ["view"]})"),
                          201);
  expect_fits("collaborator", added);
  EXPECT_EQ(added.at("permissions").as_array().size(), 1U);
  expect_error(send("PATCH", "/apps/sushi/config-vars", R"({"A": "b"})", as_bob()), 403,
               "forbidden");
  const auto changed = json(send("PATCH", "/apps/sushi/collaborators/bob@example.com",
                                 R"({"permissions": ["deploy", {"name": "operate"}]})"));
  expect_fits("collaborator", changed);
  EXPECT_EQ(changed.at("permissions").as_array().size(), 3U);
  json(send("PATCH", "/apps/sushi/config-vars", R"({"A": "b"})", as_bob()));
  for (const auto* wrong : {R"({"permissions": ["rule"]})", R"({"permissions": "view"})",
                            R"({"permissions": [1]})", "{}"})
    expect_error(send("PATCH", "/apps/sushi/collaborators/bob@example.com", wrong), 422,
                 "invalid_params");
  expect_error(
      send("PATCH", "/apps/sushi/collaborators/ada@example.com", R"({"permissions": ["view"]})"),
      422, "invalid_params");
  json(send("DELETE", "/apps/sushi/collaborators/bob@example.com", "", as_bob()));
  expect_error(send("GET", "/apps/sushi", "", as_bob()), 404, "not_found");
}

}  // namespace
}  // namespace renga::api
