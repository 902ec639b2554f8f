// Database: the platform's one SQLite file, in WAL mode with synchronous=FULL, so that a commit
// that returned survives a power cut. One connection, one writer; every call blocks. Safe from any
// thread: a statement holds the connection while it runs, a transaction while it lives. Hold one
// for as long as the rows take and never across I/O. SQLite's own failures are exceptions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "store/migration.h"

struct sqlite3;
struct sqlite3_stmt;

namespace renga::store {

// What SQLite said, and the statement it said it of.
class Failure : public std::runtime_error {
 public:
  Failure(int code, const std::string& what) : std::runtime_error(what), code_(code) {}
  int code() const { return code_; }  // SQLite's extended result code

 private:
  int code_;
};

// Bytes, as opposed to text.
struct Blob {
  std::string bytes;
};

// A value to bind. Ids bind as text, times as microseconds, bools as 0 and 1, empty optionals as
// NULL.
class Value {
 public:
  Value(std::nullptr_t) {}
  Value(std::int64_t number) : value_(number) {}
  Value(int number) : value_(std::int64_t{number}) {}
  Value(bool flag) : value_(std::int64_t{flag}) {}
  Value(double number) : value_(number) {}
  Value(std::string text) : value_(std::move(text)) {}
  Value(std::string_view text) : value_(std::string(text)) {}
  Value(const char* text) : value_(std::string(text)) {}
  Value(Blob blob) : value_(std::move(blob)) {}
  Value(Time time) : value_(to_micros(time)) {}
  template <class T>
  Value(const Id<T>& id) : value_(id.value) {}
  template <class T>
  Value(const std::optional<T>& maybe) {
    if (maybe) *this = Value(*maybe);
  }

 private:
  friend class Database;
  std::variant<std::monostate, std::int64_t, double, std::string, Blob> value_;
};

// One row of a result, valid only inside the callback it is handed to. Columns count from 0.
class Row {
 public:
  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  bool flag(int column) const { return integer(column) != 0; }
  double real(int column) const;
  std::string text(int column) const;  // also for blobs
  Time time(int column) const { return from_micros(integer(column)); }
  std::optional<std::string> maybe_text(int column) const;
  std::optional<std::int64_t> maybe_integer(int column) const;
  std::optional<Time> maybe_time(int column) const;
  template <class T>
  Id<T> id(int column) const {
    return Id<T>{text(column)};
  }
  template <class T>
  std::optional<Id<T>> maybe_id(int column) const {
    if (is_null(column)) return std::nullopt;
    return id<T>(column);
  }

 private:
  friend class Database;
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  sqlite3_stmt* statement_;
};

class Database;

// Undone when destroyed, unless committed. Nested transactions on the same thread join the outer
// one: only the outermost commit makes anything durable, and an inner one that is undone makes the
// outer commit throw.
class Transaction {
 public:
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  friend class Database;
  explicit Transaction(Database& database);
  Database& database_;
  std::unique_lock<std::recursive_mutex> lock_;
  bool done_ = false;
};

class Database {
 public:
  // `path` is a file, made if it is missing (mode 0600), or ":memory:".
  explicit Database(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs those that have not run yet, in the given order, each in a transaction of its own.
  void migrate(std::span<const Migration> migrations);

  [[nodiscard]] Transaction begin() { return Transaction(*this); }

  // Runs one statement and returns how many rows it changed.
  template <class... Values>
  std::int64_t run(std::string_view sql, Values&&... values) {
    return run_bound(sql, {Value(std::forward<Values>(values))...});
  }

  // Calls `each` for every row of the result.
  template <class... Values>
  void query(std::string_view sql, const std::function<void(const Row&)>& each,
             Values&&... values) {
    query_bound(sql, {Value(std::forward<Values>(values))...}, each);
  }

  // Every row, made into a T by `read(const Row&)`.
  template <class Read, class... Values>
  auto all(std::string_view sql, Read read, Values&&... values) {
    std::vector<decltype(read(std::declval<const Row&>()))> rows;
    query(
        sql, [&](const Row& row) { rows.push_back(read(row)); }, std::forward<Values>(values)...);
    return rows;
  }

  // The first row, or nothing.
  template <class Read, class... Values>
  auto first(std::string_view sql, Read read, Values&&... values) {
    std::optional<decltype(read(std::declval<const Row&>()))> found;
    query(
        sql,
        [&](const Row& row) {
          if (!found) found = read(row);
        },
        std::forward<Values>(values)...);
    return found;
  }

  // Writes the whole database to another file, consistent, while others go on.
  void backup_to(const std::string& path);

 private:
  friend class Transaction;
  struct Statement;
  std::int64_t run_bound(std::string_view sql, const std::vector<Value>& values);
  void query_bound(std::string_view sql, const std::vector<Value>& values,
                   const std::function<void(const Row&)>& each);
  std::shared_ptr<Statement> prepare(std::string_view sql, const std::vector<Value>& values);
  void execute(const char* sql);
  [[noreturn]] void refuse(std::string_view attempted);

  sqlite3* connection_ = nullptr;
  std::recursive_mutex mutex_;
  int depth_ = 0;        // transactions open on the thread that holds the mutex
  bool undone_ = false;  // an inner transaction was not committed
  std::vector<std::pair<std::string, std::shared_ptr<Statement>>> cache_;  // most recent last
};

}  // namespace renga::store
