// World: the API over its Rooms, called as clients call it: calls are Ada's unless they say
// otherwise, and every answer is held against the project's own schemas.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "api/testing/known_buildpacks.h"
#include "api/testing/own_schema.h"
#include "api/testing/pieces.h"
#include "api/testing/rooms.h"
#include "api/testing/schema_check.h"
#include "base/text.h"
#include "logs/testing/fake_response_stream.h"

namespace renga::api {

class World : public testing::Test, protected Rooms {
 protected:
  explicit World(Stored stored = Stored::in_memory) : Rooms(stored) {
    ada_token = authorizations.create(ada.id, "ada", {"global"}, {}).value().token;
    bob_token = authorizations.create(bob.id, "bob", {"global"}, {}).value().token;
    releases.append_first(sushi.id, ada.id);
    write_known_buildpacks(scratch.path / "buildpacks");
  }

  using Fields = std::vector<std::pair<std::string, std::string>>;

  http::Request request(const std::string& method, const std::string& target, std::string body = "",
                        const Fields& fields = {}) {
    http::Request made;
    made.method = method;
    made.target = target;
    const auto [path, query] = text::split_once(target, '?');
    made.path = path;
    made.query = query;
    made.body = std::move(body);
    made.peer = "127.0.0.1:51234";
    made.id = new_uuid();
    made.headers.set("Host", "paas.example.com:7373");
    made.headers.set("Accept", "application/vnd.heroku+json; version=3");
    made.headers.set("Authorization", "Bearer " + ada_token);
    for (const auto& [name, value] : fields) {
      if (value.empty()) made.headers.remove(name);
      if (!value.empty()) made.headers.set(name, value);
    }
    return made;
  }
  http::Response send(const std::string& method, const std::string& target, std::string body = "",
                      const Fields& fields = {}) {
    auto made = request(method, target, std::move(body), fields);
    auto response = api.handle(made);
    for (const auto& flaw : own_schema.flaws(method, made.path, response))
      ADD_FAILURE() << method << " " << made.path << ": " << flaw;
    return response;
  }
  http::Response put(const std::string& url, std::vector<std::string> pieces) {
    auto made = request("PUT", path_of(url), "", {{"Authorization", ""}});
    made.stream = std::make_shared<Pieces>(std::move(pieces));
    return api.handle(made);
  }
  Fields as_bob() { return {{"Authorization", "Bearer " + bob_token}}; }
  // As the provider of the add-on that was made last, which is one of this service.
  Fields as_provider_of(const std::string& service) {
    const auto secret = marketplace.catalog.secrets(Id<addons::Service>{service}).client_secret;
    const auto form = "grant_type=authorization_code&code=" + provider.last.grant_code +
                      "&client_secret=" + secret;
    const auto tokens = json(send("POST", "/oauth/token", form, {{"Authorization", ""}}));
    return {{"Authorization", "Bearer " + text_at(tokens, "access_token")}};
  }

  // The JSON of an answer, which must have this status.
  boost::json::value json(const http::Response& response, int status = 200) {
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_EQ(response.headers.value_or("Content-Type", ""), "application/json");
    boost::system::error_code error;
    auto value = boost::json::parse(response.body, error);
    EXPECT_FALSE(error) << response.body;
    return value;
  }
  boost::json::value get(const std::string& target) { return json(send("GET", target)); }

  // The answer is this error, with a sentence behind it.
  void expect_error(const http::Response& response, int status, std::string_view id) {
    const auto value = json(response, status);
    ASSERT_TRUE(value.is_object()) << response.body;
    EXPECT_EQ(value.at("id").as_string(), id) << response.body;
    const std::string message = value.at("message").as_string().c_str();
    EXPECT_GT(message.size(), 10U);
    // Scripts look for Heroku's own words here, which have no full stop.
    EXPECT_TRUE(message.ends_with('.') || message.ends_with("is already taken")) << message;
  }

  // The value, or each of an array, has what Heroku's schema says of this resource.
  void expect_fits(std::string_view resource, const boost::json::value& value) {
    if (value.is_array()) {
      EXPECT_FALSE(value.as_array().empty()) << resource;
      for (const auto& element : value.as_array()) expect_fits(resource, element);
      return;
    }
    for (const auto& flaw : schema.flaws(resource, value)) ADD_FAILURE() << flaw;
  }

  static std::string path_of(const std::string& url) {
    return url.substr(url.find('/', url.find("://") + 3));
  }
  static std::string text_at(const boost::json::value& value, std::string_view key) {
    return value.at(key).as_string().c_str();
  }

  // What a push would leave: a slug, its release, the formation, and dynos.
  releases::Release deploy(releases::ProcessTypes types = {{"web", "bin/web"},
                                                           {"worker", "bin/work"}}) {
    const auto directory = scratch.path / fmt::format("build-{}", ++slugs_made);
    releases::write_file(directory / "hello.txt", fmt::format("hello {}", slugs_made));
    const auto slug = slugs
                          .create({.app = sushi.id,
                                   .stack = "host",
                                   .commit = "e6442b7c0a",
                                   .commit_description = "Hello",
                                   .buildpack_provided_description = "Python",
                                   .process_types = types},
                                  directory)
                          .value();
    const auto release = releases.append(sushi.id, {.description = "Deploy e6442b7c",
                                                    .user = ada.id,
                                                    .slug = slug.id,
                                                    .config = {},
                                                    .deploy = true});
    formation.follow(sushi.id, types);
    engine.apply(reconciler.spec_of(sushi, release));
    return release;
  }
  std::string log() {
    logs.settle();
    std::string all;
    for (const auto& placed : logs.last(sushi.id, {}, 1'500)) all += format(placed.line) + "\n";
    return all;
  }

  SchemaCheck schema;
  OwnSchema own_schema;
  std::string ada_token, bob_token;
};

}  // namespace renga::api
