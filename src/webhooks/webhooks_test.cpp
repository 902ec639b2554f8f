#include "webhooks/webhooks.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "base/testing/fake_clock.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "webhooks/courier.h"
#include "webhooks/migrations.h"
#include "webhooks/testing/fake_sender.h"

namespace renga::webhooks {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const Owner sushi{Owner::Kind::app, "sushi"};
const Owner tank{Owner::Kind::addon, "tank"};

class WebhooksTest : public testing::Test {
 protected:
  WebhooksTest() { database.migrate(migrations()); }

  Webhook add(const Owner& owner, std::string level = "notify",
              std::vector<std::string> entities = {"api:release"}) {
    return webhooks
        .add(owner, {.url = "https://hooks.example.com/in",
                     .entities = std::move(entities),
                     .level = std::move(level),
                     .secret = "s3cret",
                     .authorization = "Bearer token"})
        .value()
        .webhook;
  }
  void publish(const std::string& name, const std::vector<Owner>& owners = {sushi},
               const std::string& entity = "api:release") {
    webhooks.publish({.owners = owners,
                      .entity = entity,
                      .action = "create",
                      .data = fmt::format(R"({{"name": "{}"}})", name),
                      .previous_data = "{}",
                      .actor_id = "id",
                      .actor_email = "ada@example.com"});
    clock.advance(1s);
  }
  // The names of what arrived, in order.
  std::vector<std::string> arrived() {
    std::vector<std::string> names;
    for (const auto& post : sender.posts)
      names.emplace_back(boost::json::parse(post.body).at("data").at("name").as_string().c_str());
    return names;
  }
  std::vector<std::string> statuses(const Owner& owner = sushi) {
    std::vector<std::string> all;
    for (const auto& delivery : webhooks.deliveries(owner))
      all.emplace(all.begin(), name_of(delivery.status));
    return all;
  }

  store::Database database{":memory:"};
  FakeClock clock;
  crypto::SecretBox box;
  Webhooks webhooks{database, clock, box};
  FakeSender sender;
  Courier courier{webhooks, clock, sender};
};

TEST_F(WebhooksTest, TellWhoAskedForItAndSignIt) {
  const auto webhook = add(sushi);
  add(tank);
  add(sushi, "sync", {"api:app", "dyno"});
  publish("v1");
  courier.work();
  ASSERT_THAT(sender.posts, SizeIs(1));
  const auto& post = sender.posts.front();
  EXPECT_EQ(post.url, "https://hooks.example.com/in");
  EXPECT_EQ(post.authorization, "Bearer token");
  EXPECT_EQ(post.signature, text::base64(crypto::hmac_sha256("s3cret", post.body)));

  const auto body = boost::json::parse(post.body);
  EXPECT_EQ(body.at("action"), "create");
  EXPECT_EQ(body.at("resource"), "release");
  EXPECT_EQ(body.at("actor").at("email"), "ada@example.com");
  EXPECT_EQ(body.at("data").at("name"), "v1");
  EXPECT_EQ(body.at("version"), "application/vnd.heroku+json; version=3");
  const auto& metadata = body.at("webhook_metadata");
  EXPECT_EQ(metadata.at("webhook").at("id"), boost::json::string_view(webhook.id.value));
  EXPECT_EQ(metadata.at("event").at("include"), "api:release");

  const auto delivery = webhooks.deliveries(sushi).front();
  EXPECT_EQ(delivery.status, Status::succeeded);
  EXPECT_EQ(delivery.attempts, 1);
  EXPECT_EQ(delivery.last->code, 200);
  EXPECT_EQ(metadata.at("delivery").at("id"), boost::json::string_view(delivery.id.value));
  EXPECT_EQ(webhooks.events(sushi).front().id, delivery.event);
  EXPECT_THAT(webhooks.events(tank), IsEmpty());
  EXPECT_FALSE(webhooks.event(tank, delivery.event.value));
  EXPECT_FALSE(webhooks.delivery(tank, delivery.id.value));
}

TEST_F(WebhooksTest, OneThatIsNotifiedIsAskedOnce) {
  add(sushi);
  sender.script = {{500, {}}, {std::nullopt, "refused"}};
  for (const auto* name : {"a", "b", "c"}) publish(name);
  courier.work();
  clock.advance(10h);
  courier.work();
  EXPECT_THAT(arrived(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(statuses(), ElementsAre("failed", "failed", "succeeded"));
  const auto all = webhooks.deliveries(sushi);
  EXPECT_EQ(all[2].last->error, "it answered 500");
  EXPECT_EQ(all[1].last->error, "refused");
}

TEST_F(WebhooksTest, OneThatIsInStepGetsAllOfItInOrder) {
  add(sushi, "sync");
  sender.script = {{500, {}}, {302, {}}, {std::nullopt, "no answer"}};
  publish("a");
  publish("b");
  courier.work();
  EXPECT_THAT(arrived(), ElementsAre("a"));
  EXPECT_EQ(webhooks.next_due(), webhooks.deliveries(sushi).back().next_at);
  clock.advance(1s);
  courier.work();
  EXPECT_THAT(arrived(), ElementsAre("a")) << "not before its time";
  for (int round = 0; round < 4; ++round) {
    clock.advance(60s);
    courier.work();
  }
  EXPECT_THAT(arrived(), ElementsAre("a", "a", "a", "a", "b"));
  EXPECT_THAT(statuses(), ElementsAre("succeeded", "succeeded"));
  EXPECT_EQ(webhooks.deliveries(sushi).back().attempts, 4);
}

TEST_F(WebhooksTest, GiveUpAfterThreeDays) {
  add(sushi, "sync");
  sender.script.assign(1'000, {503, {}});
  publish("a");
  for (int hour = 0; hour < 80; ++hour) {
    courier.work();
    clock.advance(1h);
  }
  EXPECT_THAT(statuses(), ElementsAre("failed"));
  EXPECT_GT(sender.posts.size(), 70u);
  EXPECT_LT(sender.posts.size(), 90u);
}

TEST_F(WebhooksTest, SurviveACrash) {
  add(sushi, "sync");
  publish("a");
  Webhooks after{database, clock, box};
  Courier next{after, clock, sender};
  next.work();
  EXPECT_THAT(arrived(), ElementsAre("a"));
}

TEST_F(WebhooksTest, OneThatTakesNothingKeepsTheNewest) {
  add(sushi, "sync");
  add(tank, "sync");
  sender.script.assign(1, {503, {}});
  for (std::size_t i = 0; i < Webhooks::most_waiting + 5; ++i) publish(std::to_string(i));
  const auto count = [&](Status status) {
    const auto all = webhooks.deliveries(sushi);
    return std::ranges::count(all, status, &Delivery::status);
  };
  EXPECT_EQ(count(Status::pending), static_cast<std::ptrdiff_t>(Webhooks::most_waiting));
  EXPECT_EQ(count(Status::failed), 5);
  courier.work();
  clock.advance(10s);
  courier.work();
  EXPECT_EQ(arrived().back(), std::to_string(Webhooks::most_waiting + 4));
  EXPECT_EQ(webhooks.deliveries(sushi).size(), Webhooks::most_settled);
  EXPECT_EQ(webhooks.events(sushi).size(), Webhooks::most_settled);
}

TEST_F(WebhooksTest, HearThatTheirOwnerIsGoneAndGo) {
  add(sushi);
  add(tank, "sync");
  publish("gone", {sushi, tank});
  webhooks.owner_gone(sushi);
  webhooks.owner_gone(tank);
  EXPECT_THAT(webhooks.all(sushi), IsEmpty());
  EXPECT_TRUE(webhooks.any());
  publish("late", {sushi, tank});
  courier.work();
  EXPECT_THAT(arrived(), ElementsAre("gone", "gone"));
  EXPECT_FALSE(webhooks.any());
}

TEST_F(WebhooksTest, ChangeAndGo) {
  const auto webhook = add(sushi);
  const auto changed = webhooks.change(sushi, webhook.id.value,
                                       {.url = "http://other.example.com",
                                        .entities = {},
                                        .level = "sync",
                                        .secret = "other",
                                        .authorization = {}});
  EXPECT_EQ(changed->level, Level::sync);
  EXPECT_THAT(changed->entities, ElementsAre("api:release"));
  EXPECT_EQ(webhooks.change(tank, webhook.id.value, {}).error().kind, Kind::not_found);
  publish("a");
  courier.work();
  EXPECT_EQ(sender.posts.front().url, "http://other.example.com");
  EXPECT_EQ(sender.posts.front().signature,
            text::base64(crypto::hmac_sha256("other", sender.posts.front().body)));
  publish("b");
  EXPECT_EQ(webhooks.remove(tank, webhook.id.value).error().kind, Kind::not_found);
  ASSERT_TRUE(webhooks.remove(sushi, webhook.id.value));
  courier.work();
  EXPECT_THAT(arrived(), ElementsAre("a"));
}

TEST_F(WebhooksTest, RefuseWhatCannotBe) {
  const NewWebhook good{.url = "https://hooks.example.com",
                        .entities = {"api:release", "dyno", "dyno"},
                        .level = "notify",
                        .secret = {},
                        .authorization = {}};
  const auto refused = [&](auto spoil) {
    auto wanted = good;
    spoil(wanted);
    const auto made = webhooks.add(sushi, wanted);
    return made ? std::string("accepted") : made.error().message;
  };
  for (const auto* url : {"", "hooks.example.com", "ftp://x", "https://", "https://a:b@c/",
                          "https://a b/", "https:///x", "file:///etc/passwd"})
    EXPECT_THAT(refused([&](auto& hook) { hook.url = url; }), HasSubstr("`url`")) << url;
  EXPECT_THAT(refused([](auto& hook) { hook.entities = {}; }), HasSubstr("api:addon"));
  EXPECT_THAT(refused([](auto& hook) { hook.entities = {"api:everything"}; }),
              HasSubstr("api:everything"));
  EXPECT_THAT(refused([](auto& hook) { hook.level = "often"; }), HasSubstr("`level`"));
  EXPECT_THAT(refused([](auto& hook) { hook.secret = ""; }), HasSubstr("`secret`"));
  EXPECT_THAT(refused([](auto& hook) { hook.authorization = "a\r\nHost: b"; }),
              HasSubstr("`authorization`"));
  const auto made = webhooks.add(sushi, good).value();
  EXPECT_THAT(made.webhook.entities, ElementsAre("api:release", "dyno"));
  EXPECT_THAT(made.secret.value(), SizeIs(64));
  for (std::size_t i = 1; i < Webhooks::most; ++i) EXPECT_TRUE(webhooks.add(sushi, good));
  EXPECT_THAT(refused([](auto&) {}), HasSubstr("10 webhooks"));
}

TEST(HttpSenderTest, StaysAwayFromThisMachine) {
  const auto sender = http_sender({});
  const auto outcome = sender->send({.url = "http://127.0.0.1:1/x",
                                     .body = "{}",
                                     .signature = "x",
                                     .authorization = "Bearer secret"});
  EXPECT_FALSE(outcome.code);
  EXPECT_THAT(outcome.error, HasSubstr("not allowed"));
  EXPECT_THAT(outcome.error, Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace renga::webhooks
