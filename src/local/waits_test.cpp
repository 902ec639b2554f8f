#include "local/waits.h"

#include <gmock/gmock.h>

#include "local/foreman_file.h"

namespace renga::local {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

Result<Waits> parse(std::string_view after, std::string_view health, std::string_view types = "") {
  const auto procfile = *Procfile::parse("web: a\nworker: b\nclock: c\nmigrate: d\ndb: e");
  return Waits::parse(after, health, procfile, *plan(procfile, types, "", 5006));
}
std::string refusal(std::string_view after, std::string_view health = "") {
  const auto waits = parse(after, health);
  return waits ? "" : waits.error().message;
}

TEST(Waits, SaysWhoWaitsForWhomAndHow) {
  const auto waits = parse("worker=web+db, clock=web", "web=/up?x=1,migrate=exit,clock=port");
  ASSERT_TRUE(waits) << waits.error().message;
  EXPECT_THAT(waits->after, ElementsAre(Pair("clock", ElementsAre("web")),
                                        Pair("worker", ElementsAre("web", "db"))));
  // Nobody waits for clock, so nobody asks it; a type that is to end is one in any case.
  EXPECT_THAT(waits->checks, ElementsAre(Pair("db", Check{Check::Kind::up}),
                                         Pair("migrate", Check{Check::Kind::exit}),
                                         Pair("web", Check{Check::Kind::page, "/up?x=1"})));
  EXPECT_EQ(parse("worker=web", "")->checks.at("web").kind, Check::Kind::port);
  EXPECT_TRUE(parse("", "")->after.empty());
  // What is not run is not waited for.
  EXPECT_TRUE(parse("worker=web", "", "worker")->after.at("worker").empty());
}

TEST(Waits, RefusesWhatCouldNeverStart) {
  EXPECT_THAT(refusal("worker=web,web=worker"), HasSubstr("circle"));
  EXPECT_THAT(refusal("web=web"), HasSubstr("web waits for web"));
  EXPECT_THAT(refusal("worker=nothing"), HasSubstr("nothing, which is no type"));
  EXPECT_THAT(refusal("nothing=web"), HasSubstr("nothing, which is no type"));
  EXPECT_THAT(refusal("worker"), HasSubstr("says nothing of worker"));
  EXPECT_THAT(refusal("worker=web", "web=soon"), HasSubstr("port, up, exit, or a path"));
  EXPECT_THAT(refusal("worker=web", "web=/a b"), HasSubstr("blank"));
}

TEST(ForemanFile, HasDefaultsForFlags) {
  EXPECT_THAT(
      parse_foreman_file("# hello\nformation: web=1,worker=2 # two\nport: \"7000\"\n"
                         "env: 'a.env,b.env'\n  nested: x\nlist:\n- a\nno colon\nbad: \"x\n"),
      ElementsAre(Pair("env", "a.env,b.env"), Pair("formation", "web=1,worker=2"),
                  Pair("port", "7000")));
  EXPECT_THAT(parse_foreman_file("concurrency: all=2"), ElementsAre(Pair("formation", "all=2")));
}

}  // namespace
}  // namespace renga::local
