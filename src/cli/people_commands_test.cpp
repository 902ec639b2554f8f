// The commands about people, and those that are less often typed.
#include "cli/suggestions.h"
#include "cli/testing/cli_fixture.h"

namespace renga::cli {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using PeopleCommands = CliTest;
using FeatureCommands = CliTest;
using TransferCommands = CliTest;
using KeyCommands = CliTest;
using TokenCommands = CliTest;
using SizeCommands = CliTest;
using ShellCommands = CliTest;

TEST_F(PeopleCommands, ShareAnApp) {
  server.answers("GET /apps/sushi/collaborators",
                 R"([{"user":{"email":"ada@example.com"},"role":"owner",
                      "permissions":[{"name":"view"},{"name":"manage"}]}])");
  EXPECT_EQ(say("access -a sushi"), 0);
  EXPECT_EQ(terminal.shown, "ada@example.com  owner  view, manage\n");
  server.answers("POST /apps/sushi/collaborators", "{}", 201);
  EXPECT_EQ(say("access:add bob@example.com -a sushi -p view,deploy"), 0);
  EXPECT_THAT(server.calls(),
              ElementsAre(R"(POST /apps/sushi/collaborators )"
                          R"({"user":"bob@example.com","permissions":["view","deploy"]})"));
  server.answers("PATCH /apps/sushi/collaborators/bob%40example.com", "{}");
  EXPECT_EQ(say("access:update bob@example.com -a sushi"), 1);
  EXPECT_THAT(server.sent, IsEmpty());
  EXPECT_EQ(say("access:update bob@example.com -a sushi --permissions operate"), 0);
  server.answers("DELETE /apps/sushi/collaborators/bob%40example.com", "{}");
  EXPECT_EQ(say("access:remove bob@example.com -a sushi"), 0);
}

TEST_F(PeopleCommands, MakeAnAccountToHandOver) {
  server.answers("POST /accounts",
                 R"({"email":"bob@example.com","password_reset":{"token":"abc","expires_at":"x"}})",
                 201);
  EXPECT_EQ(say("accounts:add bob@example.com --admin"), 0);
  EXPECT_THAT(server.calls(),
              ElementsAre(R"(POST /accounts {"email":"bob@example.com","admin":true})"));
  EXPECT_EQ(terminal.shown, "renga accounts:activate abc --url http://localhost:7373\n");
  EXPECT_EQ(say("accounts:remove bob@example.com -c bob"), 1);
  EXPECT_THAT(server.sent, IsEmpty());
}

TEST_F(TransferCommands, OfferAcceptAndLeave) {
  server.answers("POST /account/app-transfers", R"({"state":"pending"})", 201);
  EXPECT_EQ(say("apps:transfer bob@example.com -a sushi"), 0);
  EXPECT_THAT(server.calls(), ElementsAre(R"(POST /account/app-transfers )"
                                          R"({"app":"sushi","recipient":"bob@example.com"})"));
  server.answers("PATCH /account/app-transfers/sushi", R"({"app":{"name":"sushi"}})");
  EXPECT_EQ(say("apps:transfers:accept sushi"), 0);
  EXPECT_EQ(terminal.said, "Accepting sushi... done\n");
  server.answers("GET /account", R"({"email":"ada@example.com"})");
  server.answers("DELETE /apps/sushi/collaborators/ada%40example.com", "{}");
  EXPECT_EQ(say("leave -a sushi"), 0);
}

TEST_F(FeatureCommands, ListAndSwitch) {
  server.answers("GET /apps/sushi/features",
                 R"([{"name":"preboot","enabled":true,"state":"general","description":"Boots."},
                     {"name":"flying","enabled":false,"state":"beta","description":"Flies."}])");
  server.answers("GET /account/features", "[]");
  EXPECT_EQ(say("features -a sushi"), 0);
  EXPECT_EQ(terminal.shown, "[+]  preboot  Boots.\n");
  EXPECT_EQ(say("labs -a sushi"), 0);
  EXPECT_THAT(terminal.shown, HasSubstr("[ ]  flying  Flies.\n"));
  EXPECT_THAT(terminal.shown, Not(HasSubstr("preboot")));
  server.answers("PATCH /apps/sushi/features/flying", R"({"name":"flying"})");
  EXPECT_EQ(say("labs:enable flying -a sushi"), 0);
  EXPECT_THAT(server.calls(), ElementsAre("GET /account/features/flying",
                                          R"(PATCH /apps/sushi/features/flying {"enabled":true})"));
  EXPECT_EQ(terminal.said, "Enabling flying for sushi... done\n");
}

TEST_F(KeyCommands, SendAPublicKeyAndNeverAPrivateOne) {
  write("id.pub", "ssh-ed25519 AAAA ada@laptop\n");
  write("id", "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n");
  server.answers("POST /account/keys", "{}", 201);
  EXPECT_EQ(say("keys:add id.pub"), 0);
  EXPECT_EQ(server.sent.size(), 1U);
  EXPECT_EQ(say("keys:add id"), 1);
  EXPECT_THAT(terminal.said, HasSubstr("is a private key. The public one is in"));
  EXPECT_THAT(server.sent, IsEmpty());
  EXPECT_EQ(say("keys:add"), 1);
  write(".ssh/id_ed25519.pub", "ssh-ed25519 AAAA ada@laptop\n");
  EXPECT_EQ(say("keys:add"), 0);
  server.answers("GET /account/keys", R"([{"id":"1","comment":"ada@laptop","fingerprint":"SHA256:x",
                                           "public_key":"ssh-ed25519 AAAA ada@laptop"}])");
  server.answers("DELETE /account/keys/1", "{}");
  EXPECT_EQ(say("keys:remove ada@laptop"), 0);
  EXPECT_EQ(say("keys:remove bob@laptop"), 5);
  EXPECT_EQ(say("keys"), 0);
  EXPECT_EQ(terminal.shown, "ssh-ed25519  SHA256:x  ada@laptop\n");
}

TEST_F(TokenCommands, AreMadeShownAndRevoked) {
  server.answers("POST /oauth/authorizations", R"({"id":"1","access_token":{"token":"HRKU-x"}})",
                 201);
  EXPECT_EQ(say("authorizations:create -d CI -s read,write -e 60"), 0);
  EXPECT_THAT(server.calls(),
              ElementsAre(R"(POST /oauth/authorizations )"
                          R"({"description":"CI","expires_in":"60","scope":["read","write"]})"));
  EXPECT_EQ(terminal.shown, "HRKU-x\n");
  server.answers("DELETE /oauth/authorizations/1", R"({"id":"1"})");
  EXPECT_EQ(say("authorizations:revoke 1"), 0);
  EXPECT_EQ(say("authorizations:revoke"), 1);
}

TEST_F(SizeCommands, ChangeOneTypeOrAll) {
  server.answers(
      "GET /apps/sushi/formation",
      R"([{"type":"web","quantity":2,"size":"Eco"},{"type":"worker","quantity":0,"size":"Eco"}])");
  server.answers("PATCH /apps/sushi/formation", "[]");
  EXPECT_EQ(say("ps:type -a sushi"), 0);
  EXPECT_EQ(terminal.shown, "type    size  quantity\nweb     Eco   2\nworker  Eco   0\n");
  EXPECT_EQ(say("ps:type basic -a sushi"), 0);
  EXPECT_THAT(server.calls()[1], HasSubstr(R"([{"type":"web","size":"basic"},{"type":"worker")"));
  EXPECT_EQ(say("ps:type web= -a sushi"), 1);
  EXPECT_THAT(server.calls(), ElementsAre("GET /apps/sushi/formation"));
}

TEST_F(SizeCommands, WaitForTheNewestRelease) {
  server.answers("GET /apps/sushi/releases", R"([{"version":7}])");
  server.answers("GET /apps/sushi/dynos", R"([{"type":"web","state":"up","release":{"version":7}},
                                              {"type":"run","state":"up","release":{"version":6}}])");
  EXPECT_EQ(say("ps:wait -a sushi"), 0);
  EXPECT_EQ(terminal.said, "All 1 dynos run v7.\n");
  EXPECT_EQ(say("ps:wait -a sushi -w soon"), 1);
}

TEST_F(ShellCommands, CompleteCommandsFlagsAndApps) {
  EXPECT_EQ(say({"completion:words", "--", "ps:s"}), 0);
  EXPECT_EQ(terminal.shown, "ps:scale\nps:sizes\nps:stop\n");
  EXPECT_EQ(say({"completion:words", "--", "ps", "--j"}), 0);
  EXPECT_EQ(terminal.shown, "--json\n");
  server.answers("GET /apps", R"([{"name":"sushi"},{"name":"maki"}])");
  EXPECT_EQ(say({"completion:words", "--", "ps", "-a", "s"}), 0);
  EXPECT_EQ(terminal.shown, "sushi\n");
  server.answers("GET /apps/sushi/dynos", R"([{"name":"web.1"},{"name":"worker.1"}])");
  EXPECT_EQ(say({"completion:words", "--", "ps:restart", "-a", "sushi", "w"}), 0);
  EXPECT_EQ(terminal.shown, "web.1\nworker.1\n");
  EXPECT_EQ(say("completion bash"), 0);
  EXPECT_THAT(terminal.shown, HasSubstr("complete -F _renga renga"));
  EXPECT_EQ(say("completion zsh"), 0);
  EXPECT_EQ(say("completion fish"), 1);
}

TEST_F(ShellCommands, HaveManualPages) {
  EXPECT_EQ(say("man ps:scale"), 0);
  EXPECT_THAT(terminal.shown, HasSubstr(".TH RENGA-PS-SCALE 1"));
  EXPECT_THAT(terminal.shown, HasSubstr("\\-\\-app"));
  EXPECT_EQ(say("man --all pages"), 0);
  EXPECT_TRUE(std::filesystem::exists(home.path / "pages/renga.1"));
  EXPECT_TRUE(std::filesystem::exists(home.path / "pages/renga-apps-transfers-accept.1"));
  EXPECT_EQ(say("man nonsense"), 5);
}

TEST(SuggestionsTest, CountSlipsOfTheFingers) {
  EXPECT_EQ(distance("", "abc"), 3U);
  EXPECT_EQ(distance("apps", "apps"), 0U);
  EXPECT_EQ(distance("appps", "apps"), 1U);
  EXPECT_EQ(distance("pas", "aps"), 1U);
  EXPECT_EQ(distance("ps:saceles", "ps:scales"), 2U);
}

}  // namespace
}  // namespace renga::cli
