// Procfiles in their order, formations and ports.
#include "local/procfile.h"

#include <gtest/gtest.h>

namespace renga::local {
namespace {

const Procfile three{{{"web", "w"}, {"release", "r"}, {"worker", "k"}}};

std::string shown(const Result<std::vector<Instance>>& instances) {
  if (!instances) return instances.error().message;
  std::string all;
  for (const auto& one : *instances) all += one.name + ":" + std::to_string(one.port) + " ";
  return all;
}

TEST(LocalProcfile, KeepsTheOrderAndSkipsTheRest) {
  const auto procfile =
      Procfile::parse("# comment\r\n\r\nweb: a: b\r\nnot a line\nz-_1:c\nempty:\n x: y\nweb: last");
  ASSERT_TRUE(procfile);
  EXPECT_EQ(procfile->processes,
            (std::vector<Process>{{"web", "last"}, {"z-_1", "c"}, {"x", "y"}}));
}

TEST(LocalProcfile, RefusesAnEmptyOne) { EXPECT_FALSE(Procfile::parse("# nothing\n")); }

TEST(LocalPlan, IsEveryTypeButReleaseOnceEach) {
  EXPECT_EQ(shown(plan(three, "", "", 5006)), "web.1:5006 worker.1:5106 ");
}

TEST(LocalPlan, CountsPortsInTheOrderThatWasAskedFor) {
  EXPECT_EQ(shown(plan(three, "worker=2,web,release", "", 5006)),
            "worker.1:5006 worker.2:5007 web.1:5106 release.1:5206 ");
}

TEST(LocalPlan, CountsPortsInTheProcfilesOrderForAFormation) {
  EXPECT_EQ(shown(plan(three, "", "all=1,worker=2", 5000)),
            "web.1:5000 worker.1:5200 worker.2:5201 ");
  EXPECT_EQ(shown(plan(three, "", "worker=1", 5000)), "worker.1:5200 ");
}

TEST(LocalPlan, RefusesWhatItCannotRun) {
  for (const auto* types : {"clock", "web=x", "web=-1", "web=1001", "web=0", "web,web"})
    EXPECT_FALSE(plan(three, types, "", 5006)) << types;
  EXPECT_FALSE(plan(three, "web=2", "", 65535));
  EXPECT_FALSE(plan(three, "web", "all=1", 5006));
}

TEST(LocalPort, IsTheFirstThatWasGiven) {
  EXPECT_EQ(base_port("7000", "8000", "9000"), 7000);
  EXPECT_EQ(base_port("", "8000", "9000"), 8000);
  EXPECT_EQ(base_port("", "", "9000"), 9000);
  EXPECT_EQ(base_port("", "", ""), 5006);
  for (const auto* port : {"80", "65536", "x", "-1"}) EXPECT_FALSE(base_port(port, "", "")) << port;
}

}  // namespace
}  // namespace renga::local
