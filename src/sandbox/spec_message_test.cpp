#include "sandbox/spec_message.h"

#include <gmock/gmock.h>

#include "base/id.h"

namespace renga::sandbox {
namespace {

using testing::HasSubstr;

Spec full_spec() {
  Spec spec;
  spec.id = new_uuid();
  spec.name = "run.4711";
  spec.stack = "host";
  spec.uid_base = 165'536;
  spec.app_directory = "/var/lib/renga/slugs/abc";
  spec.mounts = {{"/a", "/cache", true}, {"/b", "/env", false}};
  spec.argv = {"bash", "-c", "echo \"$A\"\n"};
  spec.env = {{"A", "x=y\nz"}, {"EMPTY", ""}, {"BYTES", "\xff\xfe"}};
  spec.working_directory = "/app/sub";
  spec.limits = {1LL << 33, 50, 512};
  spec.address = "100.96.0.9";
  spec.log_socket = "/var/lib/renga/run/logs/socket";
  spec.log_secret = "0123456789abcdef";
  return spec;
}

TEST(SpecMessage, ArrivesAsItWasSent) {
  const auto spec = full_spec();
  const auto read = unpack(pack(spec));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(pack(*read), pack(spec));
  EXPECT_EQ(read->env, spec.env);
  EXPECT_EQ(read->argv, spec.argv);
  EXPECT_EQ(read->limits.memory_bytes, 1LL << 33);
  ASSERT_EQ(read->mounts.size(), 2u);
  EXPECT_TRUE(read->mounts[0].writable);
  EXPECT_FALSE(read->mounts[1].writable);
  EXPECT_EQ(read->mounts[1].target, "/env");
}

TEST(SpecMessage, SurvivesEveryCut) {
  const auto message = pack(full_spec());
  for (std::size_t length = 0; length < message.size(); ++length)
    if (const auto read = unpack(message.substr(0, length))) {
      // Cut between two records it may still be a Spec, if a poorer one.
      EXPECT_TRUE(check(*read));
    }
}

TEST(SpecMessage, RefusesWhatCouldReachTheHost) {
  const auto refused = [](auto change) {
    auto spec = full_spec();
    change(spec);
    const auto checked = check(spec);
    EXPECT_FALSE(checked);
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_THAT(refused([](Spec& s) { s.id = "../../etc"; }), HasSubstr("UUID"));
  EXPECT_THAT(refused([](Spec& s) { s.name = "a b"; }), HasSubstr("host name"));
  EXPECT_THAT(refused([](Spec& s) { s.uid_base = 1000; }), HasSubstr("100000"));
  EXPECT_THAT(refused([](Spec& s) { s.uid_base = 4'294'900'000; }), HasSubstr("uid range"));
  EXPECT_THAT(refused([](Spec& s) { s.stack = "heroku-24"; }), HasSubstr("no stack heroku-24"));
  for (const std::string path : {"relative", "/", "/a/../b", "/a//b", "/a/.", "//"}) {
    refused([&](Spec& s) { s.mounts[0].target = path; });
    refused([&](Spec& s) { s.mounts[0].source = path; });
    refused([&](Spec& s) { s.app_directory = path; });
    refused([&](Spec& s) { s.log_socket = path; });
  }
  refused([](Spec& s) { s.mounts.resize(33, s.mounts[0]); });
  EXPECT_THAT(refused([](Spec& s) { s.argv.clear(); }), HasSubstr("no command"));
  refused([](Spec& s) { s.argv[1] = std::string("a\0b", 3); });
  EXPECT_THAT(refused([](Spec& s) { s.env["A=B"] = "x"; }), HasSubstr("A=B"));
  refused([](Spec& s) { s.env["A"] = std::string("a\0b", 3); });
  refused([](Spec& s) { s.working_directory = "app"; });
  refused([](Spec& s) { s.limits.memory_bytes = 1; });
  refused([](Spec& s) { s.limits.cpu_weight = 0; });
  refused([](Spec& s) { s.limits.pids = 1; });
  refused([](Spec& s) { s.log_secret = "two words"; });
  refused([](Spec& s) { s.log_secret = std::string(300, 'x'); });
}

}  // namespace
}  // namespace renga::sandbox
