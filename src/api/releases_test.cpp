// Config vars, releases and slugs.
#include <gmock/gmock.h>

#include "api/testing/world.h"
#include "crypto/digest.h"

namespace renga::api {
namespace {

using testing::HasSubstr;
using ReleasesTest = World;

TEST_F(ReleasesTest, SetsAndRemovesConfigVars) {
  const auto vars = json(send("PATCH", "/apps/sushi/config-vars", R"({"B": "2", "A": "1"})"));
  EXPECT_EQ(boost::json::serialize(vars), R"({"A":"1","B":"2"})");
  EXPECT_EQ(get("/apps/sushi/config-vars"), vars);
  EXPECT_EQ(json(send("PATCH", "/apps/sushi/config-vars", R"({"B": null})")).as_object().size(),
            1U);
  EXPECT_EQ(json(send("PATCH", "/apps/sushi/config-vars", R"({"A": "1"})")).as_object().size(), 1U);

  const auto releases_now = get("/apps/sushi/releases");
  EXPECT_EQ(releases_now.as_array().size(), 4U);
  EXPECT_EQ(text_at(releases_now.at(2), "description"), "Set A, B config vars");
  EXPECT_EQ(boost::json::serialize(get("/apps/sushi/releases/3/config-vars")),
            R"({"A":"1","B":"2"})");
  EXPECT_THAT(log(), HasSubstr("app[api]: Set A, B config vars by user ada@example.com"));
  EXPECT_THAT(log(), HasSubstr("app[api]: Release v4 created by user ada@example.com"));
  EXPECT_EQ(log().find("Release v5"), std::string::npos);
}

TEST_F(ReleasesTest, RefusesConfigVarsThatNoEnvironmentHolds) {
  for (const auto* body :
       {R"({"A": 1})", R"({"A": true})", R"({"A=B": "1"})", R"({"": "1"})", R"({"A": "\u0000"})"})
    expect_error(send("PATCH", "/apps/sushi/config-vars", body), 422, "invalid_params");
  expect_error(
      send("PATCH", "/apps/sushi/config-vars", R"({"A": ")" + std::string(70'000, 'x') + R"("})"),
      422, "invalid_params");
  EXPECT_EQ(get("/apps/sushi/releases").as_array().size(), 2U);
}

TEST_F(ReleasesTest, ListsWithTheNewestWhereAsked) {
  deploy();
  const auto newest =
      send("GET", "/apps/sushi/releases", "", {{"Range", "version ..; order=desc,max=1"}});
  const auto page = json(newest, 206);
  expect_fits("release", page);
  EXPECT_EQ(page.at(0).at("version").as_int64(), 3);
  EXPECT_TRUE(page.at(0).at("current").as_bool());
  EXPECT_EQ(text_at(page.at(0).at("user"), "email"), "ada@example.com");
  expect_fits("release", get("/apps/sushi/releases"));
}

TEST_F(ReleasesTest, FindsByVersionAndId) {
  const auto release = deploy();
  EXPECT_EQ(get("/apps/sushi/releases/3"), get("/apps/sushi/releases/" + release.id.value));
  EXPECT_EQ(get("/apps/sushi/releases/v3"), get("/apps/sushi/releases/3"));
  expect_error(send("GET", "/apps/sushi/releases/99"), 404, "not_found");
}

TEST_F(ReleasesTest, RollsBack) {
  const auto first = deploy();
  deploy();
  const auto release = json(
      send("POST", "/apps/sushi/releases", fmt::format(R"({{"release": "{}"}})", first.id.value)),
      201);
  expect_fits("release", release);
  EXPECT_EQ(text_at(release, "description"), "Rollback to v3");
  EXPECT_EQ(text_at(release.at("slug"), "id"), first.slug->value);
  EXPECT_THAT(log(), HasSubstr("app[api]: Rollback to v3 by user ada@example.com"));
  expect_error(send("POST", "/apps/sushi/releases", R"({"release": "v1"})"), 422, "invalid_params");
  expect_error(send("POST", "/apps/sushi/releases", R"({"release": "v99"})"), 404, "not_found");
  expect_error(send("POST", "/apps/sushi/releases", "{}"), 422, "invalid_params");
}

TEST_F(ReleasesTest, ReleasesAnUploadedSlug) {
  const auto slug = json(
      send("POST", "/apps/sushi/slugs",
           R"({"process_types": {"web": "./web"}, "commit": "60883d9e8947", "stack": "host"})"),
      201);
  expect_fits("slug", slug);
  const auto id = text_at(slug, "id");
  const auto release_it = fmt::format(R"({{"slug": "{}", "description": "By hand"}})", id);
  expect_error(send("POST", "/apps/sushi/releases", release_it), 422, "invalid_params");

  const auto archive = scratch.path / "slug.tar.gz";
  releases::write_tar(
      archive, {releases::directory("./app"), releases::file("./app/web", "#!/bin/sh\n", 0755)});
  const auto bytes = releases::content(archive);
  const auto url = text_at(slug.at("blob"), "url");
  EXPECT_EQ(text_at(slug.at("blob"), "method"), "PUT");
  json(put(url, {bytes.substr(0, 10), bytes.substr(10)}));

  const auto uploaded = get("/apps/sushi/slugs/" + id);
  expect_fits("slug", uploaded);
  EXPECT_THAT(text_at(uploaded, "checksum"), HasSubstr("SHA256:"));
  EXPECT_EQ(text_at(uploaded.at("blob"), "method"), "GET");
  const auto release = json(send("POST", "/apps/sushi/releases", release_it), 201);
  EXPECT_EQ(text_at(release, "description"), "By hand");
  EXPECT_EQ(release.at("version").as_int64(), 3);

  const auto download =
      send("GET", path_of(text_at(uploaded.at("blob"), "url")), "", {{"Authorization", ""}});
  ASSERT_TRUE(download.stream);
  const auto sink = std::make_shared<logs::FakeResponseStream>();
  download.stream(sink);
  // Packed anew, and the same slug when it comes back.
  EXPECT_TRUE(sink->written().starts_with("\x1f\x8b"));
  const auto other = json(send("POST", "/apps/sushi/slugs", R"({"process_types": {}})"), 201);
  const auto back = json(put(text_at(other.at("blob"), "url"), {sink->written()}));
  EXPECT_EQ(text_at(back, "checksum"), text_at(uploaded, "checksum"));
}

TEST_F(ReleasesTest, HoldsAnUploadAgainstTheChecksumThatWasSaid) {
  const auto archive = scratch.path / "slug.tar.gz";
  releases::write_tar(archive, {releases::directory("./app"), releases::file("./app/web")});
  const auto bytes = releases::content(archive);
  const auto with = [&](std::string_view checksum) {
    return send("POST", "/apps/sushi/slugs",
                fmt::format(R"({{"process_types": {{}}, "checksum": "{}"}})", checksum));
  };
  expect_error(with("SHA256:12"), 422, "invalid_params");
  expect_error(with("md5:" + std::string(64, '0')), 422, "invalid_params");
  const auto wrong = json(with("SHA256:" + std::string(64, '0')), 201);
  expect_error(put(text_at(wrong.at("blob"), "url"), {bytes}), 422, "invalid_params");
  EXPECT_TRUE(get("/apps/sushi/slugs/" + text_at(wrong, "id")).at("checksum").is_null());

  const auto said = "SHA256:" + crypto::sha256(bytes);
  const auto right = json(with(said), 201);
  EXPECT_EQ(text_at(json(put(text_at(right.at("blob"), "url"), {bytes})), "checksum"), said);
  EXPECT_EQ(text_at(get("/apps/sushi/slugs/" + text_at(right, "id")), "checksum"), said);
}

TEST_F(ReleasesTest, RefusesSlugsThatAreNotArchives) {
  const auto slug = json(send("POST", "/apps/sushi/slugs", R"({"process_types": {}})"), 201);
  expect_error(put(text_at(slug.at("blob"), "url"), {"not a tarball"}), 422, "invalid_params");
  const auto evil = scratch.path / "evil.tar.gz";
  releases::write_tar(evil, {releases::file("./app/../../etc/passwd", "x")});
  expect_error(put(text_at(slug.at("blob"), "url"), {releases::content(evil)}), 422,
               "invalid_params");
  expect_error(put("http://h/uploads/slugs/forged", {"x"}), 404, "not_found");
  clock.advance(std::chrono::hours(2));
  expect_error(put(text_at(slug.at("blob"), "url"), {"late"}), 404, "not_found");
  expect_error(send("POST", "/apps/sushi/slugs", "{}"), 422, "invalid_params");
}

}  // namespace
}  // namespace renga::api
