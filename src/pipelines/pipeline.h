// Pipeline: apps that run the same code in one stage after the other. Values.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "apps/app.h"

namespace renga::pipelines {

struct Pipeline {
  Id<Pipeline> id;
  std::string name;
  Id<accounts::Account> owner;
  Time created_at;
  Time updated_at;
  bool operator==(const Pipeline&) const = default;
};

// In the order in which code moves; `test` is for CI.
enum class Stage { test, review, development, staging, production };

inline constexpr std::array<std::pair<Stage, std::string_view>, 5> stages{
    {{Stage::test, "test"},
     {Stage::review, "review"},
     {Stage::development, "development"},
     {Stage::staging, "staging"},
     {Stage::production, "production"}}};

inline std::string_view name_of(Stage stage) {
  for (const auto& [each, name] : stages)
    if (each == stage) return name;
  return "";
}
inline std::optional<Stage> stage_named(std::string_view text) {
  for (const auto& [stage, name] : stages)
    if (name == text) return stage;
  return std::nullopt;
}

// An app in a stage of a pipeline.
struct Coupling {
  Id<Coupling> id;
  Id<apps::App> app;
  Id<Pipeline> pipeline;
  Stage stage = Stage::development;
  Time created_at;
  Time updated_at;
  bool operator==(const Coupling&) const = default;
};

}  // namespace renga::pipelines
