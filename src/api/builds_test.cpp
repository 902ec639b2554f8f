// Sources, builds and their output.
#include <gmock/gmock.h>

#include "api/testing/world.h"

namespace renga::api {
namespace {

using testing::HasSubstr;

class BuildsTest : public World {
 protected:
  std::string tarball() {
    const auto archive = scratch.path / "source.tar.gz";
    releases::write_tar(archive, {releases::file("Procfile", "web: ./web\n")});
    return releases::content(archive);
  }
  boost::json::value start(const std::string& url) {
    return json(
        send("POST", "/apps/sushi/builds",
             fmt::format(R"({{"source_blob": {{"url": "{}", "version": "e6442b7c"}}}})", url)),
        201);
  }
};

TEST_F(BuildsTest, BuildsAnUploadedSource) {
  const auto source = json(send("POST", "/apps/sushi/sources"), 201);
  expect_fits("source", source);
  const auto blob = source.at("source_blob");
  json(put(text_at(blob, "put_url"), {tarball()}));

  const auto build = start(text_at(blob, "get_url"));
  expect_fits("build", build);
  const auto id = text_at(build, "id");
  builds.wait(Id<builds::Build>{id});
  expect_fits("build", get("/apps/sushi/builds"));
  EXPECT_NE(text_at(get("/apps/sushi/builds/" + id), "status"), "pending");
  expect_error(send("DELETE", "/apps/sushi/builds/" + id), 409, "conflict");

  const auto output =
      send("GET", path_of(text_at(build, "output_stream_url")), "", {{"Authorization", ""}});
  EXPECT_EQ(output.status, 200);
  EXPECT_THAT(std::string(output.headers.value_or("Content-Type", "")), HasSubstr("text/plain"));
}

TEST_F(BuildsTest, KeepsTheDirectionsOfASourceApart) {
  const auto blob = json(send("POST", "/sources"), 201).at("source_blob");
  expect_error(put(text_at(blob, "get_url"), {"x"}), 404, "not_found");
  expect_error(send("GET", path_of(text_at(blob, "put_url"))), 404, "not_found");
  expect_error(send("GET", path_of(text_at(blob, "get_url"))), 404,
               "not_found");  // nothing was uploaded
  clock.advance(std::chrono::hours(2));
  expect_error(put(text_at(blob, "put_url"), {"x"}), 404, "not_found");
}

TEST_F(BuildsTest, RefusesSourcesThatAreNotThere) {
  const auto blob = json(send("POST", "/sources"), 201).at("source_blob");
  const auto body = [](const std::string& url) {
    return fmt::format(R"({{"source_blob": {{"url": "{}"}}}})", url);
  };
  expect_error(send("POST", "/apps/sushi/builds", body(text_at(blob, "get_url"))), 404,
               "not_found");
  expect_error(send("POST", "/apps/sushi/builds", body("ftp://example.com/x")), 422,
               "invalid_params");
  expect_error(send("POST", "/apps/sushi/builds", body("http://127.0.0.1:1/x")), 422,
               "invalid_params");
  expect_error(send("POST", "/apps/sushi/builds", R"({"source_blob": {}})"), 422, "invalid_params");
  expect_error(send("POST", "/apps/sushi/builds", "{}"), 422, "invalid_params");
  expect_error(
      send("POST", "/apps/sushi/builds", R"({"source_blob": {"url": "x"}, "buildpacks": ["y"]})"),
      422, "invalid_params");
}

TEST_F(BuildsTest, RefusesWhatIsNoArchiveOrAnotherOne) {
  const auto blob = json(send("POST", "/sources"), 201).at("source_blob");
  json(put(text_at(blob, "put_url"), {"not a tarball"}));
  expect_error(send("POST", "/apps/sushi/builds",
                    fmt::format(R"({{"source_blob": {{"url": "{}"}}}})", text_at(blob, "get_url"))),
               422, "invalid_params");
  json(put(text_at(blob, "put_url"), {tarball()}));
  expect_error(send("POST", "/apps/sushi/builds",
                    fmt::format(R"({{"source_blob": {{"url": "{}", "checksum": "SHA256:00"}}}})",
                                text_at(blob, "get_url"))),
               422, "invalid_params");
}

TEST_F(BuildsTest, ClearsTheCache) {
  json(send("DELETE", "/apps/sushi/build-cache"), 202);
  expect_error(send("GET", "/apps/sushi/builds/" + new_uuid()), 404, "not_found");
  EXPECT_EQ(send("GET", "/streams/unknown").status, 404);
}

}  // namespace
}  // namespace renga::api
