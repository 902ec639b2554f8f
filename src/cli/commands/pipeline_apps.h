// What the `pipelines` commands share: the pipeline that a person names, and its apps.
#pragma once

#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/command.h"

namespace renga::cli {

inline constexpr Flag pipeline_flag{"pipeline", 'p', "NAME", "the pipeline"};
inline constexpr Flag stage_flag{"stage", 's', "STAGE", "development, staging, production, review"};
// In which code moves.
inline constexpr std::array<std::string_view, 3> promotion_order{"development", "staging",
                                                                 "production"};

inline Result<std::string> pipeline_argument(const Context& context, std::string_view command) {
  if (context.has("pipeline")) return context.flag("pipeline");
  if (!context.arguments.empty()) return context.arguments[0];
  return fail(Kind::invalid, fmt::format("Which pipeline? `renga {} NAME`.", command));
}

inline Result<boost::json::value> find_pipeline(Context& context, const std::string& name) {
  return TRY(context.platform())->get("/pipelines/" + text::url_encode(name));
}

inline Result<boost::json::value> couplings_of(Context& context,
                                               const boost::json::value& pipeline) {
  return TRY(context.platform())
      ->get("/pipelines/" + text_at(pipeline, "id") + "/pipeline-couplings", "id ..; max=1000");
}

// The coupling of -a or of the directory's app.
inline Result<boost::json::value> coupling_of_app(Context& context) {
  const auto path = TRY(context.path("/pipeline-couplings"));
  return TRY(context.platform())->get(path);
}

// Rows "NAME  STAGE", by stage and name.
inline std::vector<std::vector<std::string>> rows_of(const boost::json::value& couplings) {
  std::vector<std::vector<std::string>> rows;
  for (const std::string_view stage : {"test", "review", "development", "staging", "production"}) {
    std::vector<std::vector<std::string>> here;
    for (const auto& one : couplings.as_array())
      if (text_at(one, "stage") == stage)
        here.push_back({text_at(one, "app.name"), std::string(stage)});
    std::ranges::sort(here);
    rows.insert(rows.end(), here.begin(), here.end());
  }
  return rows;
}

// "sushi-staging" is sushi in staging; anything else is production, as for Heroku's CLI.
inline std::pair<std::string, std::string> guess_stage(std::string_view app) {
  constexpr std::pair<std::string_view, std::string_view> endings[] = {
      {"-dev", "development"}, {"-development", "development"}, {"-uat", "development"},
      {"-tst", "development"}, {"-test", "development"},        {"-qa", "development"},
      {"-stg", "staging"},     {"-staging", "staging"},         {"-prd", "production"},
      {"-prod", "production"}, {"-production", "production"},   {"-admin", "production"},
      {"-demo", "production"}};
  for (const auto& [ending, stage] : endings)
    if (app.size() > ending.size() && app.ends_with(ending))
      return {std::string(app.substr(0, app.size() - ending.size())), std::string(stage)};
  return {std::string(app), "production"};
}

}  // namespace renga::cli
