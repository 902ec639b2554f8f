// The part of Pipelines that says which apps are in which stage, and what a stage's apps start
// with.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/text.h"
#include "pipelines/pipelines.h"

namespace renga::pipelines {
namespace {

constexpr std::string_view columns =
    "SELECT c.id, c.app, c.pipeline, c.stage, c.created_at, c.updated_at "
    "FROM pipeline_couplings c JOIN apps a ON a.id = c.app ";

std::string select(std::string_view rest) { return std::string(columns) + std::string(rest); }

Coupling read(const store::Row& row) {
  const auto stage = stage_named(row.text(3));
  if (!stage) throw std::logic_error("A coupling has the unknown stage " + row.text(3) + ".");
  return {row.id<Coupling>(0), row.id<apps::App>(1), row.id<Pipeline>(2), *stage,
          row.time(4),         row.time(5)};
}

constexpr std::string_view in_order =
    "ORDER BY CASE c.stage WHEN 'test' THEN 0 WHEN 'review' THEN 1 WHEN 'development' THEN 2 "
    "WHEN 'staging' THEN 3 ELSE 4 END, a.name";

std::string context_of(const Id<Pipeline>& pipeline, Stage stage) {
  return fmt::format("pipeline-config/{}/{}", pipeline.value, name_of(stage));
}

}  // namespace

Result<Coupling> Pipelines::couple(const Pipeline& pipeline, const apps::App& app, Stage stage) {
  auto transaction = database_.begin();
  if (const auto already = coupling_of(app.id))
    return fail(Kind::invalid,
                fmt::format("{} is in the pipeline {} already, in {}. An app is in "
                            "one pipeline at most; take it out of that one first.",
                            app.name, TRY(find(already->pipeline)).name, name_of(already->stage)));
  if (app.owner != pipeline.owner)
    return fail(Kind::invalid, fmt::format("{} and the pipeline {} have different owners. All apps "
                                           "of a pipeline belong to its owner: transfer one of the "
                                           "two.",
                                           app.name, pipeline.name));
  const auto now = clock_.now();
  const Coupling made{Id<Coupling>::create(), app.id, pipeline.id, stage, now, now};
  database_.run(
      "INSERT INTO pipeline_couplings (id, app, pipeline, stage, created_at, updated_at) "
      "VALUES (?, ?, ?, ?, ?, ?)",
      made.id, made.app, made.pipeline, name_of(stage), now, now);
  transaction.commit();
  return made;
}

std::vector<Coupling> Pipelines::couplings(const Id<Pipeline>& pipeline) {
  return database_.all(select(fmt::format("WHERE c.pipeline = ? {}", in_order)), read, pipeline);
}

std::vector<Coupling> Pipelines::couplings_visible_to(const accounts::Account& account) {
  if (account.admin) return database_.all(select(in_order), read);
  return database_.all(select(fmt::format("WHERE a.owner = ?1 OR c.app IN (SELECT app FROM "
                                          "collaborators WHERE account = ?1) {}",
                                          in_order)),
                       read, account.id);
}

Result<Coupling> Pipelines::coupling(const Id<Coupling>& id) {
  auto found = database_.first(select("WHERE c.id = ?"), read, id);
  if (!found) return fail(Kind::not_found, "Couldn't find that pipeline coupling.");
  return *std::move(found);
}

std::optional<Coupling> Pipelines::coupling_of(const Id<apps::App>& app) {
  return database_.first(select("WHERE c.app = ?"), read, app);
}

Result<Coupling> Pipelines::move(const Id<Coupling>& id, Stage stage) {
  database_.run("UPDATE pipeline_couplings SET stage = ?, updated_at = ? WHERE id = ?",
                name_of(stage), clock_.now(), id);
  return coupling(id);
}

Result<void> Pipelines::decouple(const Id<Coupling>& id) {
  if (database_.run("DELETE FROM pipeline_couplings WHERE id = ?", id) == 0)
    return fail(Kind::not_found, "Couldn't find that pipeline coupling.");
  return {};
}

apps::ConfigVars Pipelines::config(const Id<Pipeline>& pipeline, Stage stage) {
  const auto sealed = database_.first(
      "SELECT config FROM pipeline_config_vars WHERE pipeline = ? AND stage = ?",
      [](const store::Row& row) { return row.text(0); }, pipeline, name_of(stage));
  apps::ConfigVars vars;
  if (!sealed) return vars;
  const auto stored = boost::json::parse(box_.open(*sealed, context_of(pipeline, stage)));
  for (const auto& [name, value] : stored.as_object())
    vars[std::string(name)] = std::string(value.as_string());
  return vars;
}

Result<apps::ConfigVars> Pipelines::set_config(const Id<Pipeline>& pipeline, Stage stage,
                                               const apps::ConfigChanges& changes) {
  auto transaction = database_.begin();
  TRY(find(pipeline));
  auto vars = TRY(apps::apply(config(pipeline, stage), changes));
  boost::json::object stored;
  for (const auto& [name, value] : vars) stored[name] = value;
  database_.run(
      "INSERT INTO pipeline_config_vars (pipeline, stage, config) VALUES (?1, ?2, ?3) "
      "ON CONFLICT (pipeline, stage) DO UPDATE SET config = ?3",
      pipeline, name_of(stage),
      store::Blob{box_.seal(boost::json::serialize(stored), context_of(pipeline, stage))});
  transaction.commit();
  return vars;
}

}  // namespace renga::pipelines
