// Readers: connections beside a Database's own that only read, so that who looks something up
// waits for nobody's write and holds nobody's up. In WAL mode each sees what was committed when it
// began. Safe from any thread; the Database outlives it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/locked.h"
#include "store/database.h"

namespace renga::store {

class Readers {
 public:
  // At most so many at once. A database in memory has none: it is one connection.
  Readers(Database& database, std::size_t most);
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  // While it lives, whatever this thread asks of the database is answered from one state of it:
  // everything that was committed when the first question was asked, and nothing later. Writing is
  // then a mistake of the program, and throws. Begun outside of any transaction; inside another
  // view it changes nothing. Where all connections are in use, questions go to the database as
  // ever. Ends on the thread that began it.
  class View {
   public:
    ~View();
    View(const View&) = delete;
    View& operator=(const View&) = delete;

   private:
    friend class Readers;
    friend class Database;
    friend class Transaction;
    explicit View(Readers& readers);
    static Database* of(const Database& database);  // this thread's reader of it, or none

    Readers& readers_;
    View* const outer_;                 // of this thread
    std::unique_ptr<Database> reader_;  // none: it changes nothing
  };
  [[nodiscard]] View view() { return View(*this); }

 private:
  struct Pool {
    std::vector<std::unique_ptr<Database>> idle;
    std::size_t made = 0;
  };
  std::unique_ptr<Database> take();

  Database& database_;
  const std::string path_;  // empty: in memory
  const std::size_t most_;
  Locked<Pool> pool_;
};

}  // namespace renga::store
