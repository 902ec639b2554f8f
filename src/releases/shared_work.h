// SharedWork: pieces of work that helper threads share with the thread that hands them out, which
// works on them as well when it has to wait. Of one thread; private to this room.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

#include "base/locked.h"

namespace renga::releases {

class SharedWork {
 public:
  // `most_waiting`: pieces; past that, whoever adds one helps.
  explicit SharedWork(unsigned helpers, std::size_t most_waiting = 256);
  // As many as help with files: thousands of them keep two cores busy, and a disk no more.
  static unsigned for_files();
  ~SharedWork();
  SharedWork(const SharedWork&) = delete;
  SharedWork& operator=(const SharedWork&) = delete;

  // Pieces that are waited for together. Gone only when none of them is left.
  class Batch {
   public:
    explicit Batch(SharedWork& work) : work_(work) {}
    ~Batch();
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;

    // Whatever `piece` refers to must outlive the batch. Any number.
    void add(std::function<void()> piece);
    // Returns when all is done; throws what a piece threw first.
    void finish();

   private:
    friend class SharedWork;
    SharedWork& work_;
    std::size_t left_ = 0;  // with the queue's lock
    std::exception_ptr fault_;
  };

 private:
  struct Piece {
    std::function<void()> run;
    Batch* batch;
  };
  struct Queue {
    std::deque<Piece> pieces;
    bool ending = false;
  };

  void help();
  void run(Piece piece);
  // Works on whatever is next; false when there is nothing.
  bool run_one();
  void wait_for(Batch& batch);

  const std::size_t most_waiting_;
  Locked<Queue> queue_;
  std::condition_variable changed_;
  std::vector<std::thread> helpers_;
};

}  // namespace renga::releases
