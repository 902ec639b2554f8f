#include "store/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "base/fault.h"
#include "store/readers.h"

namespace renga::store {
namespace {
constexpr std::size_t cached_statements = 64;
}

struct Database::Statement {
  sqlite3_stmt* handle = nullptr;
  bool busy = false;
  ~Statement() { sqlite3_finalize(handle); }
};

bool Row::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}
std::int64_t Row::integer(int column) const { return sqlite3_column_int64(statement_, column); }
double Row::real(int column) const { return sqlite3_column_double(statement_, column); }

std::string Row::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return bytes ? std::string(static_cast<const char*>(bytes), size) : std::string();
}

std::optional<std::string> Row::maybe_text(int column) const {
  if (is_null(column)) return std::nullopt;
  return text(column);
}
std::optional<std::int64_t> Row::maybe_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}
std::optional<Time> Row::maybe_time(int column) const {
  if (is_null(column)) return std::nullopt;
  return time(column);
}

Transaction::Transaction(Database& database) : database_(database), lock_(database.mutex_) {
  if (database_.depth_ == 0) {
    if (Readers::View::of(database_) != nullptr)
      throw std::logic_error("within a view no transaction begins");
    database_.execute("BEGIN IMMEDIATE");
    database_.undone_ = false;
  }
  ++database_.depth_;
}

Transaction::~Transaction() {
  if (done_) return;
  --database_.depth_;
  if (database_.depth_ > 0) {
    database_.undone_ = true;
    return;
  }
  // A failed COMMIT may have rolled back already; there is nothing to undo then.
  if (sqlite3_get_autocommit(database_.connection_) == 0)
    sqlite3_exec(database_.connection_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  if (done_) throw std::logic_error("a transaction is committed once");
  if (database_.depth_ == 1) {
    if (database_.undone_) throw std::logic_error("an inner transaction was undone");
    database_.execute("COMMIT");
  }
  done_ = true;
  --database_.depth_;
  // News of what was committed is sent while this object still stands; others must not wait for
  // that.
  lock_.unlock();
}

Database::Database(const std::string& path) {
  // SQLite would make the file with the umask's mode; secrets live in it, so it is made private
  // first.
  if (path != ":memory:") {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) fault("open " + path);
    ::close(fd);
  }
  // Without SQLite's own lock around each column that is read: nothing here is done to the
  // connection but under `mutex_`.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &connection_, flags, nullptr) != SQLITE_OK)
    refuse("open " + path);
  sqlite3_extended_result_codes(connection_, 1);
  sqlite3_busy_timeout(connection_, 10'000);
  execute("PRAGMA journal_mode=WAL");
  execute("PRAGMA synchronous=FULL");
  execute("PRAGMA foreign_keys=ON");
  execute(
      "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, run_at INTEGER NOT NULL) "
      "STRICT");
}

Database::~Database() {
  cache_.clear();
  sqlite3_close_v2(connection_);
}

void Database::migrate(std::span<const Migration> migrations) {
  for (const auto& migration : migrations) {
    auto transaction = begin();
    const auto ran = first(
        "SELECT 1 FROM migrations WHERE name = ?", [](const Row&) { return true; }, migration.name);
    if (!ran) {
      execute(std::string(migration.sql).c_str());
      run("INSERT INTO migrations (name, run_at) VALUES (?, unixepoch() * 1000000)",
          migration.name);
    }
    transaction.commit();
  }
}

std::int64_t Database::run_bound(std::string_view sql, const std::vector<Value>& values) {
  if (Readers::View::of(*this) != nullptr)
    throw std::logic_error("within a view nothing is written: " + std::string(sql));
  const std::lock_guard lock(mutex_);
  query_bound(sql, values, [](const Row&) {});
  return sqlite3_changes64(connection_);
}

void Database::query_bound(std::string_view sql, const std::vector<Value>& values,
                           const std::function<void(const Row&)>& each) {
  if (auto* reader = Readers::View::of(*this)) return reader->query_bound(sql, values, each);
  const std::lock_guard lock(mutex_);
  const auto statement = prepare(sql, values);
  statement->busy = true;
  struct Release {
    Statement& statement;
    ~Release() {
      sqlite3_reset(statement.handle);
      sqlite3_clear_bindings(statement.handle);
      statement.busy = false;
    }
  } release{*statement};

  for (;;) {
    const int code = sqlite3_step(statement->handle);
    if (code == SQLITE_DONE) return;
    if (code != SQLITE_ROW) refuse(sql);
    each(Row(statement->handle));
  }
}

std::shared_ptr<Database::Statement> Database::prepare(std::string_view sql,
                                                       const std::vector<Value>& values) {
  std::shared_ptr<Statement> statement;
  // From the back, where those that are asked for all the time are.
  const auto cached = std::find_if(cache_.rbegin(), cache_.rend(), [&](const auto& entry) {
    return entry.first == sql && !entry.second->busy;
  });
  if (cached != cache_.rend()) {
    std::rotate(cached.base() - 1, cached.base(), cache_.end());
    statement = cache_.back().second;
  } else {
    statement = std::make_shared<Statement>();
    const char* rest = nullptr;
    if (sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &statement->handle, &rest) != SQLITE_OK)
      refuse(sql);
    if (cache_.size() >= cached_statements) cache_.erase(cache_.begin());
    cache_.emplace_back(sql, statement);
  }

  int index = 0;
  for (const auto& value : values) {
    ++index;
    const int code = std::visit(
        [&](const auto& bound) {
          using T = std::decay_t<decltype(bound)>;
          auto* handle = statement->handle;
          if constexpr (std::is_same_v<T, std::monostate>)
            return sqlite3_bind_null(handle, index);
          else if constexpr (std::is_same_v<T, std::int64_t>)
            return sqlite3_bind_int64(handle, index, bound);
          else if constexpr (std::is_same_v<T, double>)
            return sqlite3_bind_double(handle, index, bound);
          else if constexpr (std::is_same_v<T, std::string>)
            return sqlite3_bind_text64(handle, index, bound.data(), bound.size(), SQLITE_TRANSIENT,
                                       SQLITE_UTF8);
          else
            return sqlite3_bind_blob64(handle, index, bound.bytes.data(), bound.bytes.size(),
                                       SQLITE_TRANSIENT);
        },
        value.value_);
    if (code != SQLITE_OK) refuse(sql);
  }
  return statement;
}

void Database::execute(const char* sql) {
  const std::lock_guard lock(mutex_);
  if (sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) refuse(sql);
}

void Database::refuse(std::string_view attempted) {
  throw Failure(sqlite3_extended_errcode(connection_),
                std::string(sqlite3_errmsg(connection_)) + ", in: " + std::string(attempted));
}

void Database::backup_to(const std::string& path) { run("VACUUM INTO ?", path); }

}  // namespace renga::store
