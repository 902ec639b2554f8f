#include "setups/app_json.h"

#include <gmock/gmock.h>

namespace renga::setups {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* whole = R"({
  "name": "Sushi", "description": "Fish", "keywords": ["a"], "website": "https://x", "repository": "https://y",
  "logo": "https://z/l.png", "success_url": "/welcome", "stack": "host",
  "env": {"PLAIN": "1", "SECRET_KEY": {"description": "d", "generator": "secret"},
          "NEEDED": {"description": "give it"}, "MAYBE": {"required": false}, "SET": {"value": "2"}},
  "formation": {"web": {"quantity": 2, "size": "Standard-1X"}, "worker": {"quantity": 0}},
  "addons": ["heroku-redis:mini", {"plan": "heroku-postgresql", "as": "DB", "options": {"version": "15"}}],
  "buildpacks": [{"url": "heroku/python"}], "cron": [{"command": "fetch", "schedule": "@daily"}],
  "scripts": {"postdeploy": "bin/seed", "test": {"command": "bin/test", "size": "Standard-1X"}},
  "environments": {"test": {"scripts": {"test": "other"}, "env": {}}}
})";

TEST(AppJson, ReadsEverythingThatAnAppMaySay) {
  const auto [app, errors] = read_app_json(whole);
  EXPECT_THAT(errors, IsEmpty());
  EXPECT_EQ(app.name, "Sushi");
  EXPECT_EQ(app.env.at("PLAIN").value, "1");
  EXPECT_TRUE(app.env.at("SECRET_KEY").generated);
  EXPECT_FALSE(app.env.at("MAYBE").required);
  ASSERT_EQ(app.formation.size(), 2U);
  EXPECT_EQ(app.formation[0].quantity, 2);
  EXPECT_EQ(app.addons[1].as, "DB");
  EXPECT_EQ(app.addons[1].options.at("version"), "15");
  EXPECT_THAT(app.buildpacks, ElementsAre("heroku/python"));
  EXPECT_EQ(app.scripts.at("postdeploy").command, "bin/seed");
  EXPECT_EQ(app.scripts.at("test").command, "bin/test");
}

TEST(AppJson, AnEnvironmentReplacesKeysWholesale) {
  const auto [app, errors] = read_app_json(whole, "test");
  EXPECT_THAT(errors, IsEmpty());
  EXPECT_TRUE(app.env.empty());
  EXPECT_EQ(app.scripts.at("test").command, "other");
  EXPECT_FALSE(app.scripts.contains("postdeploy"));
  EXPECT_EQ(app.name, "Sushi");
}

TEST(AppJson, NamesEveryMistakeAtOnce) {
  const auto errors =
      read_app_json(R"({"nmae": "x", "env": {"A-B": 1, "C": {"required": "yes", "generator": "x"}},
                        "formation": {"web": {"quantity": -1, "count": 2}}, "scripts": {"predeploy": "x"},
                        "keywords": "a", "buildpacks": ["x"], "environments": {"staging": {}}, "stack": 7})")
          .errors;
  const auto all = testing::PrintToString(errors);
  for (const auto* one :
       {"nmae is not a key", "env.A-B", "env.C.required must be true or false",
        "env.C.generator can only be secret", "quantity must be a whole number",
        "formation.web.count is not known", "scripts.predeploy is not known",
        "keywords must be an array, not a string", "buildpacks must be an object",
        "environments.staging is not known", "stack must be a string, not a number"})
    EXPECT_THAT(all, HasSubstr(one));
}

TEST(AppJson, NamesTheLineOfASyntaxError) {
  EXPECT_THAT(read_app_json("{\n  \"name\": \"sushi\",\n  \"env\": {,}\n}\n").errors,
              ElementsAre("app.json, line 3: not valid JSON: syntax error."));
  EXPECT_THAT(read_app_json("{\n}\n\n}").errors,
              ElementsAre("app.json, line 4: not valid JSON: extra data."));
  EXPECT_THAT(read_app_json("[]").errors, ElementsAre("app.json must be one JSON object."));
}

TEST(AppJson, SurvivesAnything) {
  for (const auto* text :
       {"", "[]", "7", "{", "null", "{\"env\":[]}", "\xff\xfe", "{\"env\":{\"\":null}}"})
    EXPECT_FALSE(read_app_json(text).errors.empty()) << text;
  EXPECT_FALSE(read_app_json(std::string(5'000, '[')).errors.empty());
  EXPECT_FALSE(read_app_json(std::string(70'000, ' ')).errors.empty());
  EXPECT_THAT(read_app_json("{}").errors, IsEmpty());
}

TEST(AppJson, MakesTheFirstConfig) {
  const auto app = read_app_json(whole).app;
  auto first = first_config(app, {});
  EXPECT_THAT(first.errors, ElementsAre(HasSubstr("NEEDED is required")));
  first = first_config(app, {{"NEEDED", "n"}, {"PLAIN", "over"}, {"MORE", "m"}});
  EXPECT_THAT(first.errors, IsEmpty());
  EXPECT_EQ(first.vars.at("PLAIN"), "over");
  EXPECT_EQ(first.vars.at("MORE"), "m");
  EXPECT_EQ(first.vars.at("SET"), "2");
  EXPECT_FALSE(first.vars.contains("MAYBE"));
  EXPECT_EQ(first.vars.at("SECRET_KEY").size(), 128U);
  EXPECT_NE(first.vars.at("SECRET_KEY"),
            first_config(app, {{"NEEDED", "n"}}).vars.at("SECRET_KEY"));
  EXPECT_FALSE(first_config(app, {{"NEEDED", "n"}, {"A B", "x"}}).errors.empty());
}

}  // namespace
}  // namespace renga::setups
