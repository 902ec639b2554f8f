// Who may call what: every route that names an app, walked by everybody there is; and every route
// at all, without a token and with one of too little scope. A new route fails here until it has
// its row.
#include "apps/permissions.h"

#include <map>

#include "api/routes.h"
#include "api/testing/world.h"

namespace renga::api {
namespace {

using enum apps::Permission;

// What a route of an app asks of its caller. No handler may ask for less.
const std::map<std::string, apps::Permission> asked = {
    {"GET /apps/{app}", view},
    {"PATCH /apps/{app}", manage},  // a new name; what else it changes is to operate
    {"DELETE /apps/{app}", manage},
    {"GET /apps/{app}/addons", view},
    {"POST /apps/{app}/addons", operate},
    {"GET /apps/{app}/router-metrics", view},
    {"GET /apps/{app}/dyno-metrics", view},
    {"GET /apps/{app}/addons/{addon}", view},
    {"PATCH /apps/{app}/addons/{addon}", operate},
    {"DELETE /apps/{app}/addons/{addon}", operate},
    {"GET /apps/{app}/addons/{addon}/sso", operate},
    {"GET /apps/{app}/addon-attachments", view},
    {"GET /apps/{app}/addon-attachments/{attachment}", view},
    {"ANY /client/v11/apps/{app}/{rest...}", deploy},
    {"GET /apps/{app}/features", view},
    {"GET /apps/{app}/features/{feature}", view},
    {"PATCH /apps/{app}/features/{feature}", operate},
    {"POST /apps/{app}/builds", deploy},
    {"GET /apps/{app}/builds", view},
    {"GET /apps/{app}/builds/{build}", view},
    {"DELETE /apps/{app}/builds/{build}", deploy},
    {"DELETE /apps/{app}/build-cache", deploy},
    {"POST /apps/{app}/sources", deploy},
    {"GET /apps/{app}/buildpack-installations", view},
    {"PUT /apps/{app}/buildpack-installations", deploy},
    {"POST /apps/{app}/collaborators", manage},
    {"GET /apps/{app}/collaborators", view},
    {"GET /apps/{app}/collaborators/{collaborator}", view},
    {"PATCH /apps/{app}/collaborators/{collaborator}", manage},
    {"DELETE /apps/{app}/collaborators/{collaborator}", manage},  // oneself apart
    {"GET /apps/{app}/config-vars", deploy},
    {"PATCH /apps/{app}/config-vars", deploy},
    {"GET /apps/{app}/releases/{release}/config-vars", deploy},
    {"POST /apps/{app}/domains", operate},
    {"GET /apps/{app}/domains", view},
    {"GET /apps/{app}/domains/{domain}", view},
    {"PATCH /apps/{app}/domains/{domain}", operate},
    {"DELETE /apps/{app}/domains/{domain}", operate},
    {"POST /apps/{app}/dynos", operate},
    {"GET /apps/{app}/dynos", view},
    {"DELETE /apps/{app}/dynos", operate},
    {"GET /apps/{app}/dynos/{dyno}", view},
    {"POST /apps/{app}/dynos/{dyno}", operate},
    {"DELETE /apps/{app}/dynos/{dyno}", operate},
    {"POST /apps/{app}/dynos/{dyno}/actions/stop", operate},
    {"DELETE /apps/{app}/formations/{type}", operate},
    {"POST /apps/{app}/formations/{type}/actions/stop", operate},
    {"GET /apps/{app}/available-dyno-sizes", view},
    {"GET /apps/{app}/formation", view},
    {"PATCH /apps/{app}/formation", operate},
    {"GET /apps/{app}/formation/{formation}", view},
    {"PATCH /apps/{app}/formation/{formation}", operate},
    {"POST /apps/{app}/log-drains", operate},
    {"GET /apps/{app}/log-drains", view},
    {"GET /apps/{app}/log-drains/{drain}", view},
    {"DELETE /apps/{app}/log-drains/{drain}", operate},
    {"POST /apps/{app}/log-sessions", view},
    {"GET /apps/{app}/pipeline-couplings", view},
    {"GET /apps/{app}/available-stacks", view},
    {"POST /apps/{app}/releases", deploy},
    {"GET /apps/{app}/releases", view},
    {"GET /apps/{app}/releases/{release}", view},
    {"POST /apps/{app}/slugs", deploy},
    {"GET /apps/{app}/slugs/{slug}", view},
    {"POST /apps/{app}/sni-endpoints", operate},
    {"GET /apps/{app}/sni-endpoints", view},
    {"GET /apps/{app}/sni-endpoints/{endpoint}", view},
    {"PATCH /apps/{app}/sni-endpoints/{endpoint}", operate},
    {"DELETE /apps/{app}/sni-endpoints/{endpoint}", operate},
    {"POST /apps/{app}/scheduled-jobs", operate},
    {"GET /apps/{app}/scheduled-jobs", view},
    {"GET /apps/{app}/scheduled-jobs/{job}", view},
    {"PATCH /apps/{app}/scheduled-jobs/{job}", operate},
    {"DELETE /apps/{app}/scheduled-jobs/{job}", operate},
    {"POST /apps/{app}/scheduled-jobs/{job}/runs", operate},
    {"GET /apps/{app}/scheduled-jobs/{job}/runs", view},
    {"GET /apps/{app}/scheduled-jobs/{job}/runs/{run}", view},
    {"GET /{app}.git/info/refs", deploy},  // to push; to fetch it is to view
    {"POST /{app}.git/git-receive-pack", deploy},
    {"POST /{app}.git/git-upload-pack", view},
    {"GET /apps/{app}/telemetry-drains", view},
    {"GET /apps/{app}/webhooks", operate},
    {"POST /apps/{app}/webhooks", operate},
    {"GET /apps/{app}/webhooks/{webhook}", operate},
    {"PATCH /apps/{app}/webhooks/{webhook}", operate},
    {"DELETE /apps/{app}/webhooks/{webhook}", operate},
    {"GET /apps/{app}/webhook-deliveries", operate},
    {"GET /apps/{app}/webhook-deliveries/{delivery}", operate},
    {"GET /apps/{app}/webhook-events", operate},
    {"GET /apps/{app}/webhook-events/{event}", operate},
    {"ANY /apps/{app}/acm", view},
    {"PUT /apps/{app}/pre-authorizations", view},
    {"POST /apps/{app}/oci-images", view},
    {"GET /apps/{app}/oci-images/{image}", view},
    {"GET /apps/{app}/review-app", view},
};

// What handlers that look at the body first need to see in it.
constexpr const char* body = R"({"name": "tuna", "user": "carol@example.com",
  "permissions": ["view"], "enabled": true, "plan": "heroku-tank", "hostname": "www.example.com",
  "sni_endpoint": null, "command": "true", "schedule": "daily", "time": "10:00", "updates": [],
  "url": "https://logs.example.com/", "quantity": 0, "slug": "x",
  "process_types": {"web": "x"}, "certificate_chain": "x", "private_key": "x",
  "source_blob": {"url": "http://127.0.0.1:1/x"}, "expires_in": 5})";

std::string filled(std::string_view path) {
  std::string target(path);
  target = text::replace_all(target, "{app}", "sushi");
  target = text::replace_all(target, "/{rest...}", "/transfers");
  target = text::replace_all(target, "{release}", "1");
  target = text::replace_all(target, "{collaborator}", "ada@example.com");
  while (target.find('{') != target.npos)
    target.replace(target.find('{'), target.find('}') - target.find('{') + 1, "nothing");
  if (target.ends_with("/info/refs")) target += "?service=git-receive-pack";
  return target;
}

class PermissionsTest : public World {
 protected:
  Fields with(const accounts::Account& account, std::string_view scope = "global") {
    const auto made = authorizations.create(account.id, "", {std::string(scope)}, {}).value();
    return {{"Authorization", "Bearer " + made.token}};
  }
  // Undone afterwards, whatever it did.
  http::Response tried(const RouteRow& row, const Fields& fields) {
    const auto undone = database.begin();
    const auto method = row.method == "ANY" ? "GET" : std::string(row.method);
    auto made = request(method, filled(row.path), method == "GET" ? "" : body, fields);
    made.stream = std::make_shared<Pieces>(std::vector<std::string>{});
    return api.handle(made);
  }
  static bool unseen(const http::Response& response) {
    return response.status == 404 && response.body.find("find that app.") != std::string::npos;
  }
  accounts::Account carol = people.create("carol@example.com", "", false).value();
  accounts::Account root = people.create("root@example.com", "", true).value();
};

TEST_F(PermissionsTest, EveryRouteOfAnAppForEveryRole) {
  using enum apps::Permission;  // World has a deploy() of its own
  struct Role {
    std::string name;
    Fields fields;
    apps::Permissions permissions;
  };
  std::vector<Role> roles{{"a stranger", as_bob(), {}},
                          {"the owner", with(ada), {view, deploy, operate, manage}},
                          {"an administrator", with(root), {view, deploy, operate, manage}}};
  for (const auto& granted :
       std::vector<apps::Permissions>{{view}, {view, deploy}, {view, operate}, {view, manage}}) {
    std::string name;
    for (const auto permission : granted) name.append(apps::word_of(permission)).append(" ");
    const auto account =
        people.create(fmt::format("{}@example.com", roles.size()), "", false).value();
    ASSERT_TRUE(apps.add_collaborator(sushi.id, account));
    ASSERT_TRUE(apps::Grants(database, clock).set(apps, sushi.id, account.id.value, granted));
    roles.push_back({name, with(account), granted});
  }

  for (const auto& row : routes()) {
    if (row.path.find("{app}") == row.path.npos) continue;
    const auto known = asked.find(fmt::format("{} {}", row.method, row.path));
    ASSERT_NE(known, asked.end()) << row.method << " " << row.path << " has no row in this table";
    for (const auto& role : roles) {
      const auto answer = tried(row, role.fields);
      const auto what = fmt::format("{} as {}: {} {}", known->first, role.name, answer.status,
                                    answer.body.substr(0, 200));
      if (role.permissions.empty()) {
        EXPECT_TRUE(unseen(answer)) << what;
      } else if (!role.permissions.contains(known->second)) {
        EXPECT_EQ(answer.status, 403) << what;
      } else {
        EXPECT_NE(answer.status, 401) << what;
        EXPECT_NE(answer.status, 403) << what;
        // The World's git ends at once: that it was asked is the answer here.
        EXPECT_TRUE(answer.status < 500 || answer.body == "git ended without an answer.\n") << what;
        EXPECT_FALSE(unseen(answer)) << what;
      }
    }
  }
}

TEST_F(PermissionsTest, EveryRouteWantsAToken) {
  for (const auto& row : routes()) {
    if (row.needs == Needs::nothing) continue;
    const auto what = fmt::format("{} {}", row.method, row.path);
    EXPECT_EQ(tried(row, {{"Authorization", ""}}).status, 401) << what;
    EXPECT_EQ(tried(row, {{"Authorization", "Bearer HRKU-AAnonsense"}}).status, 401) << what;
    const auto expect_forbidden = [&](bool wanted, std::string_view scope) {
      if (wanted) {
        EXPECT_EQ(tried(row, with(ada, scope)).status, 403) << what << " with " << scope;
      }
    };
    using enum Needs;
    expect_forbidden(row.needs != identity, "identity");
    expect_forbidden(row.needs == write || row.needs == write_protected ||
                         row.needs == everything || row.needs == password,
                     "read-protected");
    expect_forbidden(row.needs == read_protected || row.needs == write_protected, "write");
  }
}

TEST_F(PermissionsTest, OnlyAnAdministratorManagesPeople) {
  for (const auto& [method, path] : std::vector<std::pair<std::string, std::string>>{
           {"GET", "/accounts"}, {"POST", "/accounts"}, {"POST", "/password-resets"}}) {
    expect_error(send(method, path, R"({"email": "bob@example.com"})"), 403, "forbidden");
    EXPECT_NE(send(method, path, R"({"email": "bob@example.com"})", with(root)).status, 403);
  }
  for (const auto& [method, path] : std::vector<std::pair<std::string, std::string>>{
           {"GET", "/users/bob@example.com"},
           {"PATCH", "/users/bob@example.com"},
           {"DELETE", "/users/bob@example.com/two-factor"},
           {"DELETE", "/users/bob@example.com"}}) {
    expect_error(send(method, path), 404, "not_found");
    EXPECT_EQ(send(method, path, "{}", with(root)).status, 200) << path;
  }
}

}  // namespace
}  // namespace renga::api
