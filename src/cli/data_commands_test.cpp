// pg:* and redis:*: what they ask of the data API, and what they show.
#include <fmt/format.h>

#include "cli/testing/cli_fixture.h"

namespace renga::cli {
namespace {
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class DataCommands : public CliTest {
 protected:
  DataCommands() {
    server.answers(
        "GET /apps/sushi/addons",
        R"([{"id":"01","name":"postgresql-flat-1","addon_service":{"name":"heroku-postgresql"}},
                       {"id":"02","name":"postgresql-round-2","addon_service":{"name":"heroku-postgresql"}},
                       {"id":"03","name":"redis-deep-3","addon_service":{"name":"heroku-redis"}},
                       {"id":"04","name":"kafka-wide-4","addon_service":{"name":"heroku-kafka"}}])");
    server.answers("GET /apps/sushi/addon-attachments",
                   R"([{"name":"DATABASE","addon":{"id":"01","name":"postgresql-flat-1"}},
                       {"name":"HEROKU_POSTGRESQL_RED","addon":{"id":"02","name":"postgresql-round-2"}},
                       {"name":"REDIS","addon":{"id":"03","name":"redis-deep-3"}},
                       {"name":"KAFKA","addon":{"id":"04","name":"kafka-wide-4"}}])");
  }
};

TEST_F(DataCommands, ShowADatabase) {
  server.answers("GET /client/v11/databases/01",
                 R"({"info":[{"name":"Plan","values":["Essential 0"]}]})");
  EXPECT_EQ(say("pg:info -a sushi"), 0);
  EXPECT_EQ(terminal.shown, "=== DATABASE_URL\nPlan:  Essential 0\n");
}

TEST_F(DataCommands, SayWhereAServiceIsDocumented) {
  server.answers("GET /addon-services/heroku-redis", R"({"name":"heroku-redis","docs_url":null})");
  server.answers("GET /addon-services/errortank",
                 R"({"name":"errortank","docs_url":"https://errortank.example/docs"})");
  server.answers("GET /addon-services/silent", R"({"name":"silent","docs_url":null})");
  EXPECT_EQ(say("addons:docs heroku-redis:mini"), 0);
  EXPECT_EQ(terminal.shown, "https://devcenter.heroku.com/articles/heroku-redis\n");
  EXPECT_EQ(say("addons:docs errortank"), 0);
  EXPECT_EQ(terminal.shown, "https://errortank.example/docs\n");
  EXPECT_NE(say("addons:docs silent"), 0);
  EXPECT_THAT(terminal.said, HasSubstr("does not say where it is documented"));
}

TEST_F(DataCommands, FindADatabaseByItsNames) {
  server.answers("GET /client/v11/databases/02", R"({"info":[]})");
  EXPECT_EQ(say("pg:info HEROKU_POSTGRESQL_RED -a sushi"), 0);
  EXPECT_EQ(say("pg:info HEROKU_POSTGRESQL_RED_URL -a sushi"), 0);
  EXPECT_EQ(say("pg:info postgresql-round-2 -a sushi"), 0);
  EXPECT_NE(say("pg:info redis-deep-3 -a sushi"), 0);
  EXPECT_THAT(terminal.said, HasSubstr("there is DATABASE, HEROKU_POSTGRESQL_RED"));
}

TEST_F(DataCommands, PromoteADatabaseAndKeepAWayToTheOther) {
  server.answers("POST /addon-attachments", R"({"name":"HEROKU_POSTGRESQL_BLUE"})", 201);
  EXPECT_EQ(say("pg:promote HEROKU_POSTGRESQL_RED -a sushi"), 0);
  EXPECT_THAT(
      server.calls(),
      Contains(
          R"(POST /addon-attachments {"addon":{"id":"01"},"app":{"name":"sushi"},"confirm":"sushi"})"));
  EXPECT_THAT(
      server.calls(),
      Contains(
          R"(POST /addon-attachments {"addon":{"id":"02"},"app":{"name":"sushi"},"name":"DATABASE","namespace":null,"confirm":"sushi"})"));
}

TEST_F(DataCommands, ResetNothingWithoutTheAppsName) {
  EXPECT_NE(say("pg:reset -a sushi --confirm sashimi"), 0);
  EXPECT_THAT(server.calls(), testing::Not(Contains(HasSubstr("PUT"))));
  server.answers("PUT /client/v11/databases/01/reset", "{}");
  EXPECT_EQ(say("pg:reset -a sushi --confirm sushi"), 0);
}

TEST_F(DataCommands, ListBackupsAndWhenTheyWereTried) {
  server.answers(
      "GET /client/v11/apps/sushi/transfers",
      R"([{"num":1,"from_type":"pg_dump","from_name":"postgresql-flat-1","created_at":"1","started_at":"2",
           "finished_at":"3","succeeded":true,"processed_bytes":2048,"verified_at":"4","schedule":null},
          {"num":2,"from_type":"gof3r","to_name":"postgresql-flat-1","created_at":"5","started_at":null,
           "finished_at":null,"succeeded":null,"processed_bytes":0,"schedule":null}])");
  EXPECT_EQ(say("pg:backups -a sushi"), 0);
  EXPECT_THAT(terminal.shown, HasSubstr("b001  1           Completed 3  2.00KB  4"));
  EXPECT_THAT(terminal.shown, HasSubstr("r002  5           Pending"));
  EXPECT_NE(say("pg:backups:info x7 -a sushi"), 0);
}

TEST_F(DataCommands, ConfigureAStore) {
  server.answers("PATCH /redis/v0/databases/03/config", R"({"timeout":{"value":60}})");
  EXPECT_EQ(say("redis:timeout --seconds 60 -a sushi"), 0);
  EXPECT_EQ(terminal.shown, "timeout of redis-deep-3 is 60.\n");
  EXPECT_THAT(server.calls(), Contains(R"(PATCH /redis/v0/databases/03/config {"timeout":60})"));
  EXPECT_NE(say("redis:timeout -a sushi"), 0);
}

TEST_F(DataCommands, ListTopicsOfAKafkaCluster) {
  server.answers(
      "GET /data/kafka/v0/clusters/04/topics",
      R"({"prefix":"elbe-1.","topics":[{"name":"visits","prefix":"elbe-1.","partitions":4,
                     "messages":7,"data_size":2048,"retention_time_ms":129600000,"compaction":true}]})");
  EXPECT_EQ(say("kafka:topics -a sushi"), 0);
  EXPECT_THAT(terminal.shown, HasSubstr("Prefix: elbe-1.\n"));
  EXPECT_THAT(terminal.shown,
              HasSubstr("visits  4           7         2.0 kB  36 hours, compacted\n"));
  EXPECT_EQ(say("kafka:topics:info elbe-1.visits -a sushi"), 0);
  EXPECT_NE(say("kafka:topics:info orders -a sushi"), 0);
}

TEST_F(DataCommands, CreateATopicForSoLong) {
  server.answers("POST /data/kafka/v0/clusters/04/topics", "{}");
  server.answers("GET /data/kafka/v0/clusters/04/topics",
                 R"({"topics":[{"name":"visits","prefix":null}]})");
  EXPECT_EQ(say("kafka:topics:create visits --partitions 4 --retention-time 3d -a sushi"), 0);
  EXPECT_THAT(
      server.calls(),
      Contains(
          R"(POST /data/kafka/v0/clusters/04/topics {"topic":{"name":"visits","compaction":false,"partition_count":"4","retention_time_ms":259200000}})"));
  for (const auto* wrong : {"3", "d", "-3d", "3w", "99999999999999999999d"})
    EXPECT_NE(say(fmt::format("kafka:topics:create x --retention-time {} -a sushi", wrong)), 0);
  EXPECT_NE(say("kafka:topics:create -a sushi"), 0);
}

TEST_F(DataCommands, TailATopicFromWhereTheLastAnswerEnded) {
  server.answers(
      "GET /data/kafka/v0/clusters/04/topics/visits/messages?positions=&back=2&wait_ms=15000",
      R"({"messages":[{"partition":0,"offset":3,"created_at":"2026-01-05T10:00:00Z","key":null,
                     "value":"hi\u001b[2J"}],"positions":"0:4"})");
  EXPECT_EQ(say("kafka:topics:tail visits --num 2 --max 1 -a sushi"), 0);
  EXPECT_EQ(terminal.shown, "2026-01-05T10:00:00Z 0 3 hi\\x1b[2J\n");
}

TEST_F(DataCommands, DestroyNoTopicWithoutTheAppsName) {
  EXPECT_NE(say("kafka:topics:destroy visits -a sushi --confirm sashimi"), 0);
  EXPECT_THAT(server.calls(), testing::Not(Contains(HasSubstr("DELETE"))));
  server.answers("DELETE /data/kafka/v0/clusters/04/topics/visits", "{}");
  EXPECT_EQ(say("kafka:topics:destroy visits -a sushi --confirm sushi"), 0);
}

}  // namespace
}  // namespace renga::cli
