#include "git/push_records.h"

#include "base/text.h"

namespace renga::git {
namespace {

std::vector<Move> moves_in(const std::string& lines) {
  std::vector<Move> moves;
  for (const auto line : text::lines(lines)) {
    const auto [from, branch] = text::split_once(line, ' ');
    moves.push_back({std::string(branch), std::string(from)});
  }
  return moves;
}

}  // namespace

Id<PushRecord> PushRecords::begin(const Id<apps::App>& app, const std::string& commit,
                                  const std::vector<Move>& moves) {
  const auto id = Id<PushRecord>::create();
  std::string lines;
  for (const auto& move : moves) lines += move.from + " " + move.branch + "\n";
  database_.run(
      "INSERT INTO pushes (id, app, commit_id, branches, created_at) VALUES (?, ?, ?, ?, ?)", id,
      app, commit, lines, clock_.now());
  return id;
}

void PushRecords::end(const Id<PushRecord>& id) {
  database_.run("DELETE FROM pushes WHERE id = ?", id);
}

std::vector<PushRecord> PushRecords::all() {
  return database_.all(
      "SELECT id, app, commit_id, branches, created_at FROM pushes ORDER BY created_at, rowid",
      [](const store::Row& row) {
        return PushRecord{row.id<PushRecord>(0), row.id<apps::App>(1), row.text(2),
                          moves_in(row.text(3)), row.time(4)};
      });
}

}  // namespace renga::git
