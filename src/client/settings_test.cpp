#include "client/settings.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "base/random.h"

namespace renga::client {
namespace fs = std::filesystem;

namespace {
using testing::HasSubstr;

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() {
    fs::create_directories(home);
    surroundings.environment["HOME"] = home.string();
    surroundings.directory = home;
    surroundings.data_directory = home / "data";
  }
  ~SettingsTest() override {
    std::error_code ignored;
    fs::remove_all(home, ignored);
  }

  void serve(const std::string& listen = "http://127.0.0.1:7373") {
    write("data/run/server.json", R"({"listen":")" + listen + R"(","http":"http://127.0.0.1:1"})");
    write("data/admin.token", "local-token\n");
  }
  void write(const std::string& name, const std::string& content) {
    fs::create_directories((home / name).parent_path());
    std::ofstream(home / name) << content;
  }
  std::string& set(const std::string& name) { return surroundings.environment[name]; }
  std::string token(const std::string& url = {}) {
    const auto found = find_settings(surroundings, url);
    return found ? found->token : "refused: " + found.error().message;
  }
  unsigned mode(const fs::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777 : 0;
  }

  fs::path home = fs::temp_directory_path() / ("renga-settings-" + random_hex(8));
  Surroundings surroundings;
};

TEST_F(SettingsTest, FindTheServerOfThisMachine) {
  serve();
  const auto found = find_settings(surroundings, "");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->url, "http://localhost:7373");
  EXPECT_EQ(found->token, "local-token");
  EXPECT_EQ(found->ca, home / "data/ca.pem");
}

TEST_F(SettingsTest, CallEveryAddressOfThisMachineLocalhost) {
  for (const auto* listen : {"http://0.0.0.0:7373", "http://[::]:7373", "http://[::1]:7373"}) {
    serve(listen);
    EXPECT_EQ(find_settings(surroundings, "")->url, "http://localhost:7373") << listen;
  }
}

TEST_F(SettingsTest, KnowTheLocalServerByHttpsAndByAddressToo) {
  serve();
  for (const auto* url : {"https://localhost:7373", "http://127.0.0.1:7373", "localhost:7373/"}) {
    const auto found = find_settings(surroundings, url);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->token, "local-token");
    EXPECT_EQ(found->url, server_url(url));
    EXPECT_EQ(found->ca, home / "data/ca.pem");
  }
  EXPECT_THAT(token("http://localhost:7374"), HasSubstr("No token is known for"));
}

TEST_F(SettingsTest, PreferALoginToTheLocalServerAndTheEnvironmentToBoth) {
  serve();
  save_login(surroundings, {"https://paas.example.com:7373", "saved-token", {}}, "");
  EXPECT_EQ(token(), "saved-token");
  set("RENGA_URL") = "https://other.example.com";
  set("RENGA_TOKEN") = "env-token";
  EXPECT_EQ(token(), "env-token");
  EXPECT_EQ(find_settings(surroundings, "")->url, "https://other.example.com");
  EXPECT_EQ(token("https://paas.example.com:7373"), "saved-token");
  EXPECT_EQ(token("http://localhost:7373"), "local-token");
}

TEST_F(SettingsTest, NeverSendRengaTokenToAnotherServerThanRengaUrl) {
  set("RENGA_URL") = "https://mine.example.com";
  set("RENGA_TOKEN") = "env-token";
  EXPECT_THAT(token("https://theirs.example.com"), HasSubstr("No token is known for"));
  EXPECT_EQ(token("http://mine.example.com"), "env-token");
  set("RENGA_URL").clear();
  EXPECT_EQ(token("https://theirs.example.com"), "env-token");
}

TEST_F(SettingsTest, TakeTheRestOfWhatRengaUrlNamesFromTheLogin) {
  save_login(surroundings, {"https://paas.example.com:7373", "saved-token", {}}, "a CA's text\n");
  set("RENGA_URL") = "https://paas.example.com:7373/";
  const auto found = find_settings(surroundings, "");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->token, "saved-token");
  EXPECT_TRUE(fs::exists(found->ca));
}

TEST_F(SettingsTest, PreferANamedDataDirectoryToALogin) {
  save_login(surroundings, {"https://paas.example.com:7373", "saved-token", {}}, "");
  surroundings.data_directory_named = true;
  EXPECT_THAT(token(), HasSubstr("No server runs on " + (home / "data").string()));
  serve();
  EXPECT_EQ(token(), "local-token");
}

TEST_F(SettingsTest, SayHowToNameAServerWhenNoneIsKnown) {
  const auto refused = find_settings(surroundings, "");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::unauthorized);
  EXPECT_THAT(refused.error().message, HasSubstr("renga login --url"));
}

TEST_F(SettingsTest, AreSavedForTheirOwnerAlone) {
  save_login(surroundings, {"https://paas.example.com:7373", "saved-token", {}}, "a CA's text\n");
  const auto directory = home / ".config/renga";
  EXPECT_EQ(mode(directory / "logins.json"), 0600U);
  const auto ca = find_settings(surroundings, "")->ca;
  EXPECT_EQ(mode(ca), 0600U);
  EXPECT_EQ(ca.parent_path(), directory);
  // Nothing half written stays.
  EXPECT_EQ(std::distance(fs::directory_iterator(directory), fs::directory_iterator()), 2);
}

TEST_F(SettingsTest, KeepSeveralLoginsAndForgetOne) {
  save_login(surroundings, {"https://one.example.com", "one", {}}, "CA\n");
  save_login(surroundings, {"https://two.example.com", "two", {}}, "");
  EXPECT_EQ(token(), "two");
  EXPECT_EQ(token("one.example.com"), "one");
  const auto ca = find_settings(surroundings, "https://one.example.com")->ca;
  EXPECT_TRUE(forget_login(surroundings, "https://one.example.com"));
  EXPECT_FALSE(fs::exists(ca));
  EXPECT_FALSE(forget_login(surroundings, "https://one.example.com"));
  EXPECT_EQ(token(), "two");
  EXPECT_TRUE(forget_login(surroundings, "https://two.example.com"));
  EXPECT_THAT(token(), HasSubstr("No server is known"));
}

TEST_F(SettingsTest, FollowXdgConfigHome) {
  set("XDG_CONFIG_HOME") = (home / "elsewhere").string();
  save_login(surroundings, {"https://paas.example.com", "t", {}}, "");
  EXPECT_TRUE(fs::exists(home / "elsewhere/renga/logins.json"));
}

TEST(Url, IsTakenApart) {
  EXPECT_EQ(server_url(" paas.example.com:7373/ "), "https://paas.example.com:7373");
  EXPECT_EQ(server_url("http://localhost:7373"), "http://localhost:7373");
  EXPECT_EQ(server_url(""), "");
  const auto of = [](const std::string& url) { return Settings{url, {}, {}}; };
  EXPECT_EQ(of("https://paas.example.com:7373").host(), "paas.example.com:7373");
  EXPECT_EQ(of("https://paas.example.com:7373").name(), "paas.example.com");
  EXPECT_EQ(of("https://paas.example.com").name(), "paas.example.com");
  EXPECT_EQ(of("http://[::1]:7373").name(), "[::1]");
  EXPECT_EQ(of("http://[::1]").name(), "[::1]");
  EXPECT_TRUE(of("http://[::1]:7373").is_loopback());
  EXPECT_TRUE(of("http://localhost:7373").is_loopback());
  EXPECT_FALSE(of("http://localhost.example.com").is_loopback());
}

}  // namespace
}  // namespace renga::client
