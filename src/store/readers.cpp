#include "store/readers.h"

#include "base/report.h"

namespace renga::store {
namespace {

std::string path_of(Database& database) {
  return database
      .first("SELECT file FROM pragma_database_list WHERE name = 'main'",
             [](const Row& row) { return row.text(0); })
      .value_or("");
}

thread_local Readers::View* innermost = nullptr;

}  // namespace

Readers::Readers(Database& database, std::size_t most)
    : database_(database), path_(path_of(database)), most_(most) {}

std::unique_ptr<Database> Readers::take() {
  {
    auto pool = pool_.lock();
    if (!pool->idle.empty()) {
      auto reader = std::move(pool->idle.back());
      pool->idle.pop_back();
      return reader;
    }
    if (path_.empty() || pool->made == most_) return nullptr;
    ++pool->made;
  }
  try {
    auto reader = std::make_unique<Database>(path_);
    reader->run("PRAGMA query_only = 1");
    return reader;
  } catch (...) {
    --pool_.lock()->made;
    throw;
  }
}

Readers::View::View(Readers& readers) : readers_(readers), outer_(innermost) {
  if (of(readers.database_) == nullptr) reader_ = readers.take();
  if (reader_) reader_->run("BEGIN");
  innermost = this;
}

Readers::View::~View() {
  innermost = outer_;
  if (!reader_) return;
  try {
    reader_->run("COMMIT");
    readers_.pool_.lock()->idle.push_back(std::move(reader_));
  } catch (const std::exception& error) {
    // It may still stand in its old state: another takes its place.
    report("store", std::string("a reader is given up: ") + error.what());
    --readers_.pool_.lock()->made;
  }
}

Database* Readers::View::of(const Database& database) {
  for (auto* view = innermost; view != nullptr; view = view->outer_)
    if (view->reader_ && &view->readers_.database_ == &database) return view->reader_.get();
  return nullptr;
}

}  // namespace renga::store
